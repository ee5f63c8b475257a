/**
 * The source of a function, without what does not change its meaning: comments, white space, quotes, optional
 * commas, semicolons and parentheses, and the prefixes that module transforms put before imported names. Two
 * compilations of one function should have one normal form; where they have not, the cost is a rebuild.
 */
export function normalSource(source: string): string {
  return withoutOptional(tokensOf(source)).join(' ');
}

/**
 * What a function reads of its first parameter: paths such as `airport.city`, as far as they can be seen; null
 * where the parameter is used in any other way, so that it may read everything.
 */
export function pathsRead(source: string): ReadonlySet<string> | null {
  const tokens = withoutOptional(tokensOf(source));
  const parameter = firstParameter(tokens);
  if (parameter === null) return null;
  return typeof parameter === 'string'
    ? memberPaths(tokens, parameter, tokens.indexOf(parameter) + 1)
    : new Set(parameter);
}

const SPACE = /\s+|\/\/[^\n\r\u2028\u2029]*|\/\*[^]*?\*\//y;
const WORD = /#?[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*/uy;
const NUMBER =
  /0[xX][\da-fA-F_]+n?|0[bB][01_]+n?|0[oO][0-7_]+n?|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)?n?/y;
const STRING = /'(?:[^'\\\n]|\\[^])*'|"(?:[^"\\\n]|\\[^])*"/y;
const REGEXP = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
const SIGN =
  />>>=|\.\.\.|===|!==|\*\*=|<<=|>>=|>>>|&&=|\|\|=|\?\?=|=>|==|!=|<=|>=|&&|\|\||\?\?|\?\.(?!\d)|\+\+|--|\+=|-=|\*=|\/=|%=|&=|\|=|\^=|<<|>>|\*\*|[^]/y;

/** After these a slash begins a regular expression, and a parenthesis is not a call's. */
const OPERATOR_WORDS = new Set([
  'return',
  'typeof',
  'case',
  'in',
  'of',
  'delete',
  'void',
  'throw',
  'new',
  'else',
  'do',
  'instanceof',
  'await',
  'yield',
]);
const STATEMENT_WORDS = new Set(['if', 'while', 'for', 'switch', 'catch', 'with', 'function']);

const isWord = (token: string | undefined): token is string =>
  token !== undefined && /^[#\p{ID_Start}$_]/u.test(token);
const endsValue = (token: string | undefined): boolean =>
  token !== undefined &&
  (token === ')' ||
    token === ']' ||
    token === '}' ||
    /^["`\d.]./.test(token) ||
    /^\d$/.test(token) ||
    (isWord(token) && !OPERATOR_WORDS.has(token)));

function tokensOf(source: string): string[] {
  const tokens: string[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    const text = pattern.exec(source)?.[0] ?? null;
    if (text !== null) at += text.length;
    return text;
  };
  while (at < source.length) {
    if (take(SPACE) !== null) continue;
    const word = take(WORD);
    if (word !== null) {
      tokens.push(word);
      continue;
    }
    const number = source[at] === '.' && !/\d/.test(source[at + 1] ?? '') ? null : take(NUMBER);
    if (number !== null) {
      tokens.push(normalNumber(number));
      continue;
    }
    const string = take(STRING);
    if (string !== null) {
      tokens.push(JSON.stringify(cooked(string.slice(1, -1))));
      continue;
    }
    if (source[at] === '`') {
      const end = templateEnd(source, at);
      tokens.push(normalTemplate(source.slice(at, end)));
      at = end;
      continue;
    }
    if (source[at] === '/' && !endsValue(tokens.at(-1))) {
      const regexp = take(REGEXP);
      if (regexp !== null) {
        tokens.push(regexp);
        continue;
      }
    }
    tokens.push(take(SIGN)!);
  }
  return tokens;
}

function normalNumber(text: string): string {
  const plain = text.replaceAll('_', '');
  return plain.endsWith('n') ? plain : String(Number(plain));
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  v: '\v',
  '0': '\0',
  '\n': '',
};

const cooked = (text: string): string =>
  text.replace(
    /\\(?:u\{([\da-fA-F]+)\}|u([\da-fA-F]{4})|x([\da-fA-F]{2})|([^]))/g,
    (_, point, unit, byte, plain) =>
      plain !== undefined
        ? (ESCAPES[plain] ?? plain)
        : String.fromCodePoint(parseInt(point ?? unit ?? byte, 16)),
  );

/** The end of the template literal that begins at `start`: expressions in it may hold templates of their own. */
function templateEnd(source: string, start: number): number {
  for (let at = start + 1; at < source.length; at++) {
    if (source[at] === '\\') at++;
    else if (source[at] === '`') return at + 1;
    else if (source[at] === '$' && source[at + 1] === '{') at = expressionEnd(source, at + 2);
  }
  return source.length;
}

function expressionEnd(source: string, start: number): number {
  let depth = 1;
  for (let at = start; at < source.length; at++) {
    const unit = source[at]!;
    if (unit === '`') at = templateEnd(source, at) - 1;
    else if (unit === '"' || unit === "'") {
      STRING.lastIndex = at;
      at += (STRING.exec(source)?.[0].length ?? 1) - 1;
    } else if (unit === '{') depth++;
    else if (unit === '}' && --depth === 0) return at;
  }
  return source.length;
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

function withoutOptional(tokens: readonly string[]): string[] {
  let kept = withoutImportPrefixes(tokens).filter(
    (token, index, all) => token !== ',' || !CLOSING.has(all[index + 1] ?? ''),
  );
  for (let before = Infinity; kept.length < before;) {
    before = kept.length;
    kept = withoutParentheses(kept);
  }
  return kept.filter((token, index) => token !== ';' || (index + 1 < kept.length && kept[index + 1] !== '}'));
}

const CLOSING = new Set([')', ']', '}']);

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

/** Without the first parentheses that change nothing: compilers keep or drop them as they like. */
function withoutParentheses(tokens: readonly string[]): string[] {
  for (let open = 0; open < tokens.length; open++) {
    if (tokens[open] !== '(') continue;
    const close = closingOf(tokens, open);
    const inside = tokens.slice(open + 1, close);
    if (
      isParameter(tokens, open, close) ||
      (isGroup(tokens, open, close) && (inside.every(isPlain) || !bindsLooser(tokens, inside, open, close)))
    )
      return [...tokens.slice(0, open), ...inside, ...tokens.slice(close + 1)];
  }
  return [...tokens];
}

function closingOf(tokens: readonly string[], open: number): number {
  let depth = 0;
  for (let at = open; at < tokens.length; at++) {
    if (OPENING.has(tokens[at]!)) depth++;
    else if (CLOSING.has(tokens[at]!) && --depth === 0) return at;
  }
  return tokens.length;
}

const OPENING = new Set(['(', '[', '{']);

/** `(row) => …` */
const isParameter = (tokens: readonly string[], open: number, close: number): boolean =>
  tokens[close + 1] === '=>' && close === open + 2 && tokens[open - 1] !== 'async';

/** Parentheses around an expression, not those of a call, a statement or a parameter list. */
function isGroup(tokens: readonly string[], open: number, close: number): boolean {
  const [before, after] = [tokens[open - 1], tokens[close + 1]];
  if (close === open + 1 || after === '=>') return false;
  if (
    before !== undefined &&
    (endsValue(before) ||
      STATEMENT_WORDS.has(before) ||
      before === 'new' ||
      before === '?.' ||
      before === 'async')
  )
    return false;
  const goesOn = after !== undefined && MEMBER.has(after);
  return !(goesOn && (/^\d/.test(tokens[open + 1]!) || tokens.slice(open, close).includes('?.')));
}

const MEMBER = new Set(['.', '?.', '[', '(']);

const PRECEDENCE: Readonly<Record<string, number>> = Object.fromEntries(
  [
    '??',
    '||',
    '&&',
    '|',
    '^',
    '&',
    '== != === !==',
    '< > <= >= in instanceof',
    '<< >> >>>',
    '+ -',
    '* / %',
    '**',
  ].flatMap((words, level) => words.split(' ').map((word) => [word, level + 1])),
);
const TERNARY = 0;
const BEGINS = new Set<string | undefined>([undefined, '(', '[', ',', '=>', 'return', '?', ':', '=']);
const ENDS = new Set([')', ']', '}', ',', ';', ':']);
const UNREADABLE = new Set([
  '=>',
  ',',
  '...',
  'await',
  'yield',
  'async',
  'function',
  'class',
  'new',
  'void',
  'delete',
  '++',
  '--',
]);

/** Whether an expression in parentheses binds less than what stands beside them, or whether that cannot be told. */
function bindsLooser(
  tokens: readonly string[],
  inside: readonly string[],
  open: number,
  close: number,
): boolean {
  const least = leastPrecedence(inside);
  if (least === null || inside[0] === '{') return true;
  const [before, after] = [tokens[open - 1], tokens[close + 1]];
  const isBinary = before !== undefined && before in PRECEDENCE && endsValue(tokens[open - 2]);
  if (isBinary ? least <= PRECEDENCE[before]! : !BEGINS.has(before)) return true;
  if (after === undefined || ENDS.has(after)) return false;
  if (after === '?') return least === TERNARY;
  return after === '**' || !(after in PRECEDENCE) || least < PRECEDENCE[after]!;
}

/** The precedence of the operator that is applied last; null where the tokens are more than operators and operands. */
function leastPrecedence(tokens: readonly string[]): number | null {
  let least = Infinity;
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at]!;
    if (UNREADABLE.has(token) || /^[^=!<>]?=$|^(?:\*\*|<<|>>>?|&&|\|\||\?\?)=$/.test(token)) return null;
    if (token === '?') least = TERNARY;
    else if (token in PRECEDENCE && endsValue(tokens[at - 1])) least = Math.min(least, PRECEDENCE[token]!);
    if (OPENING.has(token)) at = closingOf(tokens, at);
  }
  return least;
}

const isPlain = (token: string): boolean =>
  token === '.' ||
  token === '?.' ||
  /^["`\d]/.test(token) ||
  (isWord(token) && !OPERATOR_WORDS.has(token) && !STATEMENT_WORDS.has(token));

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
  return tokens.includes('arguments') ? null : fields;
}

/** Paths read of the name `parameter` in tokens from `start` on; null where it is used in another way. */
function memberPaths(tokens: readonly string[], parameter: string, start: number): Set<string> | null {
  const paths = new Set<string>();
  for (let at = start; at < tokens.length; at++) {
    const token = tokens[at]!;
    if (token === 'arguments') return null;
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
