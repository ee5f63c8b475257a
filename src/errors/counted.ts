/** `1 view`, `3,000 views`, `1 entry`: how many of something, for people. `nouns`: of several, where that is not the noun and an s. */
export const counted = (number: number, noun: string, nouns = `${noun}s`): string =>
  `${number.toLocaleString('en')} ${number === 1 ? noun : nouns}`;
