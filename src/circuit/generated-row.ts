import { jsonOf, type KeyText, type Read } from '../zset/row-key.js';
import { AsciiText, TextBytes } from '../zset/text-bytes.js';
import type { Row, Value } from '../zset/value.js';

/**
 * Functions that read and build rows, generated for their columns. Generated, because the engine learns the shape of
 * rows at each place in the code: one shared loop over column names would see the rows of all plans, and be slow for all.
 *
 * Names reach the code only as JSON string literals.
 */

/** Reads a path out of a row: null where it, or anything on its way, is missing. Equal to `readPath`, and faster. */
export function generatedRead(path: string): Read {
  return new Function('row', `return ${accessOf('row', path)};`) as Read;
}

/** A column or path that a key is made of. */
export interface KeyColumn {
  readonly path: string;
  /** It can hold nothing but strings: not null, not numbers. */
  readonly onlyStrings: boolean;
}

/**
 * The key texts of rows, as `keyTextOfValues` gives them of what they hold at these paths. Where `nulls` are not allowed a
 * row that has one has no key: null.
 */
export function generatedKey(columns: readonly KeyColumn[]): (row: any) => KeyText;
export function generatedKey(columns: readonly KeyColumn[], nulls: 'refused'): (row: any) => KeyText | null;
export function generatedKey(
  columns: readonly KeyColumn[],
  nulls: 'allowed' | 'refused' = 'allowed',
): (row: any) => KeyText | null {
  const values = columns.map(({ path }, index) => `const v${index} = ${accessOf('row', path)};`);
  const refused = nulls === 'refused' && columns.length > 0;
  const anyNull = columns.map((_, index) => `v${index} === null`).join(' || ');
  const texts = columns.map((_, index) => `textOf(v${index})`);
  const key =
    columns.length === 1
      ? columns[0]!.onlyStrings
        ? 'v0'
        : texts[0]!
      : joined([`'['`, ...texts.flatMap((text, index) => (index === 0 ? [text] : [`','`, text])), `']'`]);
  const body = `${values.join(' ')} ${refused ? `if (${anyNull}) return null;` : ''} return ${key};`;
  return new Function('textOf', `return (row) => { ${body} };`)(jsonOf) as (row: any) => KeyText | null;
}

/** The expression that reads a path out of `variable`. */
function accessOf(variable: string, path: string): string {
  return `(${variable}${path
    .split('.')
    .map((step, index) => `${index === 0 ? '' : '?.'}[${JSON.stringify(step)}]`)
    .join('')} ?? null)`;
}

/** Where a column of a built row comes from: a path of the row at hand, the row itself, or a place in the list of values given beside it. */
export type Origin = { readonly path: string } | { readonly whole: true } | { readonly value: number };

/** Builds rows with these columns, in this order. */
export type BuildRow = (row: any, values: readonly Value[]) => Row;

export function generatedRow(columns: readonly { readonly name: string; readonly from: Origin }[]): BuildRow {
  const fields = columns.map(({ name, from }) => `${fieldOf(name)}: ${expressionOf(from)}`);
  return new Function('row', 'values', `return { ${fields.join(', ')} };`) as BuildRow;
}

function expressionOf(from: Origin): string {
  if ('path' in from) return accessOf('row', from.path);
  return 'whole' in from ? 'row' : `values[${from.value}]`;
}

/** Builds rows of these columns of one row, and one more column with a value of its own. */
export function generatedExtension(
  columns: readonly string[],
  added: string,
  at: number,
): (row: any, value: Value) => Row {
  const fields = columns.map((name) => `${fieldOf(name)}: row[${JSON.stringify(name)}]`);
  fields.splice(at, 0, `${fieldOf(added)}: value`);
  return new Function('row', 'value', `return { ${fields.join(', ')} };`) as (row: any, value: Value) => Row;
}

/** What the text of a row needs to know of a column; `other` is whatever `JSON.stringify` is to write. */
export interface TextColumn {
  readonly name: string;
  readonly kind: 'string' | 'number' | 'boolean' | 'other';
}

/** Writes the JSON text of a row. */
export type WriteRow = (row: Row, bytes: TextBytes) => void;

/**
 * Writes the JSON text of rows with these columns: what `JSON.stringify` gives, character by character, and faster. Numbers are
 * finite and never −0, for rows hold canonical values; strings that need no escape are most. What is nested is often that of
 * the row before, the very same object: of a join's rows one side stays while the other changes.
 */
export function generatedWriter(columns: readonly TextColumn[]): WriteRow {
  const between: (string | AsciiText)[] = [];
  const nested: ((value: Value) => string)[] = [];
  const constant = (text: string): string => {
    const isAscii = Buffer.byteLength(text) === text.length;
    return `bytes.${isAscii ? 'writeAscii' : 'write'}(between[${between.push(isAscii ? new AsciiText(text) : text) - 1}]);`;
  };
  const lines = columns.flatMap(({ name, kind }, index) => {
    const value = `row[${JSON.stringify(name)}]`;
    return [
      constant(`${index === 0 ? '{' : ','}${JSON.stringify(name)}:`),
      kind === 'other'
        ? `bytes.write(nested[${nested.push(latestText()) - 1}](${value}));`
        : `bytes.${kind === 'string' ? 'writeString' : 'writeNumber'}(${value});`,
    ];
  });
  lines.push(constant(columns.length === 0 ? '{}' : '}'));
  return new Function('between', 'nested', `return (row, bytes) => {\n${lines.join('\n')}\n};`)(
    between,
    nested,
  ) as WriteRow;
}

/** The same as a text. */
export function generatedText(columns: readonly TextColumn[]): (row: Row) => string {
  const write = generatedWriter(columns);
  return (row) => {
    scratch.clear();
    write(row, scratch);
    return scratch.text();
  };
}

const scratch = new TextBytes();

/** Parts added up, constant ones that follow each other made one. */
function joined(parts: readonly string[]): string {
  const out: string[] = [];
  for (const part of parts) {
    const last = out[out.length - 1];
    if (last !== undefined && isConstant(last) && isConstant(part))
      out[out.length - 1] = JSON.stringify(constantOf(last) + constantOf(part));
    else out.push(part);
  }
  return out.join(' + ');
}

const isConstant = (part: string): boolean => part.startsWith('"') || part.startsWith("'");
const constantOf = (part: string): string => (part.startsWith("'") ? part.slice(1, -1) : JSON.parse(part));

/** `JSON.stringify` of values that do not change, with the last one's text at hand. */
function latestText(): (value: Value) => string {
  let latest: Value | undefined;
  let text = '';
  return (value) => {
    if (value !== latest) {
      text = JSON.stringify(value);
      latest = value;
    }
    return text;
  };
}

/** `"__proto__": x` in an object literal would set the prototype; computed, it is a field like any other. */
const fieldOf = (name: string): string => (name === '__proto__' ? '["__proto__"]' : JSON.stringify(name));
