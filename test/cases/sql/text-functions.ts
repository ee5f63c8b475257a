import { createHash } from 'node:crypto';
import { SqlError } from './dialect.js';
import { int, is, notNull, type ScalarFunction, text } from './scalar-function.js';

/** Functions of texts. */

const part = (value: string, separator: string, place: number): string => {
  const parts = value.split(separator);
  return parts[place > 0 ? place - 1 : parts.length + place] ?? '';
};

const substring = (value: string, from: any, length?: number): string | null => {
  if (typeof from === 'string') {
    const found = new RegExp(from).exec(value);
    return found ? (found[1] ?? found[0]) : null;
  }
  const characters = [...value];
  const start = Math.max(0, from - 1);
  return characters
    .slice(start, length === undefined ? undefined : Math.max(start, from - 1 + length))
    .join('');
};

const trimmed =
  (atStart: boolean, atEnd: boolean) =>
  (value: string, characters = ' '): string => {
    const all = [...value];
    let [from, to] = [0, all.length];
    while (atStart && from < to && characters.includes(all[from]!)) from++;
    while (atEnd && to > from && characters.includes(all[to - 1]!)) to--;
    return all.slice(from, to).join('');
  };

const regexReplaced = (value: string, pattern: string, by: string, flags = ''): string =>
  value.replace(
    new RegExp(pattern, flags.replaceAll(/[^gi]/g, '')),
    by
      .replaceAll('$', '$$$$')
      .replaceAll(/\\(\d)/g, '$$$1')
      .replaceAll('\\&', '$$&'),
  );

/** %s, %I and %L of format(); `%%` is a percent sign. */
const formatted = (template: string | null, ...args: any[]): string | null =>
  template === null
    ? null
    : template.replace(/%([%sIL])/g, (_, kind: string) => {
        if (kind === '%') return '%';
        const value = args.shift() ?? null;
        if (kind === 'L') return value === null ? 'NULL' : quotedText(value);
        return kind === 'I' ? quotedName(value ?? '') : (value ?? '');
      });

const SIZE = new TextEncoder();

const padded = (value: string, size: number, fill = ' ', atStart = true): string => {
  const characters = [...value];
  if (characters.length >= size) return characters.slice(0, size).join('');
  return atStart ? value.padStart(size, fill) : value.padEnd(size, fill);
};

const isName = (value: string): boolean => /^[a-z_][a-z0-9_$]*$/.test(value);
const quotedName = (value: string): string => (isName(value) ? value : `"${value.replaceAll('"', '""')}"`);
const quotedText = (value: string): string => `'${value.replaceAll("'", "''")}'`;

export const textFunctions: Readonly<Record<string, ScalarFunction>> = {
  length: int((value: string) => [...value].length),
  char_length: int((value: string) => [...value].length),
  lower: text((value: string) => value.toLowerCase()),
  upper: text((value: string) => value.toUpperCase()),
  initcap: text((value: string) =>
    value.toLowerCase().replace(/[a-z0-9]+/g, (word) => word[0]!.toUpperCase() + word.slice(1)),
  ),
  reverse: text((value: string) => [...value].reverse().join('')),
  repeat: text((value: string, count: number) => value.repeat(Math.max(0, count))),
  replace: text((value: string, from: string, to: string) =>
    from === '' ? value : value.replaceAll(from, to),
  ),
  split_part: text(part),
  substr: text(substring),
  substring: text(substring),
  left: text((value: string, count: number) => [...value].slice(0, count).join('')),
  right: text((value: string, count: number) => (count === 0 ? '' : [...value].slice(-count).join(''))),
  overlay: text((value: string, by: string, from: number, count = [...by].length) => {
    const all = [...value];
    return [...all.slice(0, from - 1), by, ...all.slice(from - 1 + count)].join('');
  }),
  translate: text((value: string, from: string, to: string) =>
    [...value]
      .map((one) => {
        const at = [...from].indexOf(one);
        return at === -1 ? one : ([...to][at] ?? '');
      })
      .join(''),
  ),
  md5: text((value: string) => createHash('md5').update(value).digest('hex')),
  chr: text((code: number) => String.fromCodePoint(code)),
  to_hex: text((value: number) => value.toString(16)),
  regexp_replace: text(regexReplaced),
  format: { type: is('text'), nulls: true, takes: 'text', call: formatted },
  quote_literal: text(quotedText),
  quote_ident: text(quotedName),
  quote_nullable: {
    type: is('text'),
    nulls: true,
    takes: 'text',
    call: (value: string | null) => (value === null ? 'NULL' : quotedText(value)),
  },
  octet_length: int((value: string) => SIZE.encode(value).length),
  bit_length: int((value: string) => 8 * SIZE.encode(value).length),
  character_length: int((value: string) => [...value].length),
  /** A text as a UUID. */
  '(uuid)': text((value: string) => {
    const hex = value.toLowerCase().replace(/^\{|\}$|-/g, '');
    if (!/^[0-9a-f]{32}$/.test(hex)) throw new SqlError(`"${value}" is no UUID`);
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  }),
  len: int((value: string) => [...value].length),
  rlike: { type: is('bool'), call: (value: string, pattern: string) => new RegExp(pattern, 'u').test(value) },
  lpad: text((value: string, size: number, fill?: string) => padded(value, size, fill)),
  rpad: text((value: string, size: number, fill?: string) => padded(value, size, fill, false)),
  trim: text(trimmed(true, true)),
  btrim: text(trimmed(true, true)),
  ltrim: text(trimmed(true, false)),
  rtrim: text(trimmed(false, true)),
  concat: { type: is('text'), nulls: true, takes: 'text', call: (...args) => notNull(args).join('') },
  concat_ws: {
    type: is('text'),
    nulls: true,
    takes: 'text',
    call: (mark, ...args) => notNull(args).join(mark),
  },
  position: int((what: string, within: string) => within.indexOf(what) + 1),
  strpos: int((within: string, what: string) => within.indexOf(what) + 1),
  starts_with: { type: is('bool'), call: (value: string, start: string) => value.startsWith(start) },
  ends_with: { type: is('bool'), call: (value: string, end: string) => value.endsWith(end) },
  ascii: int((value: string) => value.codePointAt(0) ?? 0),
  regexp_match: {
    type: is('text[]'),
    call: (value: string, pattern: string) => {
      const found = new RegExp(pattern).exec(value);
      return found && (found.length > 1 ? found.slice(1).map((group) => group ?? null) : [found[0]]);
    },
  },
};
