/** CHANGELOG FROM: the changes of a table as rows that only come, each with what kind of a change it was. */
export const changesOf = (name: string): string => `${name} (changes)`;

export const CHANGE = { insert: 1, delete: 2, 'update to': 3, 'update of': 4 } as const;
