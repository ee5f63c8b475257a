import { normalTokens } from './function-source.js';
import { expressionEnd, isWord, tokensOf } from './source-tokens.js';

/**
 * What a function reads of its first parameter: paths such as `airport.city`, as far as they can be seen; null
 * where the parameter is used in any other way, so that it may read everything.
 */
export function pathsRead(source: string): ReadonlySet<string> | null {
  const tokens = normalTokens(source);
  if (readsUnnamed(tokens)) return null;
  const parameter = firstParameter(tokens);
  if (parameter === null) return null;
  return typeof parameter === 'string'
    ? memberPaths(tokens, parameter, tokens.indexOf(parameter) + 1)
    : new Set(parameter);
}

/** Whether a function may read what it is given without naming it: by `arguments`, or behind `bind` and what is not written in JavaScript. */
const readsUnnamed = (tokens: readonly string[]): boolean =>
  tokens.some((token) => token === 'arguments' || (token.startsWith('`') && token.includes('arguments'))) ||
  tokens.slice(-6).join(' ') === '{ [ native code ] }';

/** The name of the first parameter, the fields it is taken apart into, or null for any other form. */
function firstParameter(tokens: readonly string[]): string | string[] | null {
  if (isWord(tokens[0]) && tokens[1] === '=>') return tokens[0];
  let at = tokens[0] === 'function' ? (tokens[1] === '(' ? 2 : 3) : 1;
  if (tokens[at - 1] !== '(') return null;
  if (isWord(tokens[at])) return tokens[at + 1] === ',' || tokens[at + 1] === ')' ? tokens[at]! : null;
  if (tokens[at] === ')') return [];
  if (tokens[at] !== '{') return null;
  const fields: string[] = [];
  for (at++; tokens[at] !== '}';) {
    const field = tokens[at];
    if (!isWord(field)) return null;
    fields.push(field);
    at++;
    if (tokens[at] === ':' && isWord(tokens[at + 1])) at += 2;
    if (tokens[at] === ',') at++;
    else if (tokens[at] !== '}') return null;
  }
  return fields;
}

/** Paths read of the name `parameter` in tokens from `start` on; null where it is used in another way. */
function memberPaths(tokens: readonly string[], parameter: string, start: number): Set<string> | null {
  const paths = new Set<string>();
  for (let at = start; at < tokens.length; at++) {
    const token = tokens[at]!;
    if (token.startsWith('`')) {
      const inside = templatePaths(token, parameter);
      if (inside === null) return null;
      for (const path of inside) paths.add(path);
    }
    if (token !== parameter || tokens[at - 1] === '.' || tokens[at - 1] === '?.') continue;
    const steps: string[] = [];
    for (let next = at + 1; ;) {
      if ((tokens[next] === '.' || tokens[next] === '?.') && isWord(tokens[next + 1])) {
        steps.push(tokens[next + 1]!);
        next += 2;
      } else if (tokens[next] === '[' && tokens[next + 1]?.startsWith('"') && tokens[next + 2] === ']') {
        steps.push(JSON.parse(tokens[next + 1]!));
        next += 3;
      } else break;
    }
    if (steps.length === 0) return null;
    paths.add(steps.join('.'));
  }
  return paths;
}

/** The paths read by the expressions of a template literal. */
function templatePaths(template: string, parameter: string): Set<string> | null {
  const paths = new Set<string>();
  for (let at = 1; at < template.length; at++) {
    if (template[at] === '\\') at++;
    else if (template[at] === '$' && template[at + 1] === '{') {
      const end = expressionEnd(template, at + 2);
      const inside = memberPaths(tokensOf(template.slice(at + 2, end)), parameter, 0);
      if (inside === null) return null;
      for (const path of inside) paths.add(path);
      at = end;
    }
  }
  return paths;
}
