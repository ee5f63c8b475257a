import { withoutParentheses } from './optional-parentheses.js';
import { CLOSING, expressionEnd, tokensOf } from './source-tokens.js';

/**
 * The source of a function, without what does not change its meaning: comments, white space, quotes, optional
 * commas, semicolons and parentheses, and the prefixes that module transforms put before imported names. Two
 * compilations of one function should have one normal form; where they have not, the cost is a rebuild.
 */
export function normalSource(source: string): string {
  return normalTokens(source)
    .map((token) => (token.startsWith('`') ? normalTemplate(token) : token))
    .join(' ');
}

/** The template's text as it is, the expressions in it normalised. */
function normalTemplate(text: string): string {
  let out = '';
  let at = 0;
  while (at < text.length) {
    if (text[at] === '\\') {
      out += text.slice(at, at + 2);
      at += 2;
    } else if (text[at] === '$' && text[at + 1] === '{') {
      const end = expressionEnd(text, at + 2);
      out += '${' + normalSource(text.slice(at + 2, end)) + '}';
      at = end + 1;
    } else out += text[at++];
  }
  return out;
}

/** The tokens of a source, but for those that change nothing. */
export function normalTokens(source: string): string[] {
  let kept = withoutImportPrefixes(tokensOf(source)).filter(
    (token, index, all) => token !== ',' || !CLOSING.has(all[index + 1] ?? ''),
  );
  for (let before = Infinity; kept.length < before;) {
    before = kept.length;
    kept = withoutParentheses(kept);
  }
  return kept.filter((token, index) => token !== ';' || (index + 1 < kept.length && kept[index + 1] !== '}'));
}

/** `(0, _module.name)` and `_module.name`, as CommonJS transforms write an imported `name`. */
function withoutImportPrefixes(tokens: readonly string[]): string[] {
  const declared = new Set(
    tokens.filter((_, index) => tokens[index + 1] !== '.' && tokens[index + 1] !== '?.'),
  );
  const isPrefix = (index: number): boolean =>
    /^_\w+$/.test(tokens[index] ?? '') &&
    tokens[index + 1] === '.' &&
    tokens[index - 1] !== '.' &&
    !declared.has(tokens[index]!);
  const out: string[] = [];
  for (let index = 0; index < tokens.length; index++) {
    if (
      tokens[index] === '(' &&
      tokens[index + 1] === '0' &&
      tokens[index + 2] === ',' &&
      isPrefix(index + 3) &&
      tokens[index + 6] === ')'
    ) {
      out.push(tokens[index + 5]!);
      index += 6;
    } else if (isPrefix(index)) index += 1;
    else out.push(tokens[index]!);
  }
  return out;
}
