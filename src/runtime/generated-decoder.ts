import { z } from 'zod';
import { isDecimalText } from '../zset/decimal.js';
import { canonical, type Row, type Value } from '../zset/value.js';
import { decimalScale } from '../view/decimal.js';
import { instantOf, isInstantText } from '../view/instant.js';
import type { Column, ColumnType } from '../view/column.js';
import { variantsOfSchema, type Variants } from '../view/variants.js';
import { isCanonicalInstant } from '../zset/instant-text.js';
import { applySchema, conform, type RowShape } from './conform.js';

/**
 * Generates the function that turns the parsed JSON of a plain record into its row, or undefined for "not for me to
 * say". It may say that of anything, and never takes a value the schema would refuse or change otherwise: whatever a
 * check here does not settle for certain returns undefined. Null where even generating makes no sense: the schema as a
 * whole has a refinement or transformation, or this process forbids generated code.
 *
 *   z.object({ delay: z.int(), origin: z.string() })
 *
 *   if (typeof input !== 'object' || input === null || Array.isArray(input)) return;
 *   const v0 = input["delay"]; if (!Number.isSafeInteger(v0)) return;
 *   const v1 = input["origin"]; if (typeof v1 !== 'string' || !v1.isWellFormed()) return;
 *   return { "delay": v0 + 0, "origin": v1 };
 */
export function generateDecoder({ schema, columns }: RowShape): ((value: unknown) => Row | undefined) | null {
  const generator = new Generator();
  const variants = variantsOfSchema(schema);
  if (variants === null) {
    const result = generator.fields(schema, columns, 'input');
    if (result === null) return null;
    generator.lines.push(`return ${result};`);
  } else if (definitionOf(schema).checks?.length || !generator.variants(variants, columns, 'input'))
    return null;
  const body = `'use strict';\nreturn (input) => {\n${generator.lines.join('\n')}\n};`;
  try {
    return new Function('given', 'canonical', 'isCanonicalInstant', 'instantOf', 'isDecimalText', body)(
      generator.given,
      canonical,
      isCanonicalInstant,
      instantOf,
      isDecimalText,
    );
  } catch (thrown) {
    if (thrown instanceof EvalError) return null;
    throw thrown;
  }
}

/** A schema of zod's as far as this file looks into it. */
interface Definition {
  readonly type: string;
  readonly checks?: readonly z.core.$ZodCheck<never>[];
  readonly coerce?: boolean;
  readonly format?: string;
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
  readonly catchall?: unknown;
  readonly element?: z.core.$ZodType;
  readonly innerType?: z.core.$ZodType;
  readonly in?: z.core.$ZodType;
  readonly out?: z.core.$ZodType;
}

const definitionOf = (schema: z.core.$ZodType): Definition => schema._zod.def as unknown as Definition;

/** `instant()`, which is `instantOf`. */
const isInstant = ({ in: input, out }: Definition): boolean =>
  out !== undefined && isInstantText(out) && input !== undefined && definitionOf(input).type === 'transform';

/** The scale of `decimal()`, which leaves its own output as it is; null for anything else. */
const scaleOfDecimal = ({ in: input, out }: Definition): number | null =>
  out !== undefined && input !== undefined && definitionOf(input).type === 'transform'
    ? decimalScale(out)
    : null;

/** Names at which even an empty object has something. */
const inherited = (name: string): boolean => name in Object.prototype;

/** Up to here a value is compared with each of an enum's one by one. */
const COMPARED_MAX = 8;

class Generator {
  readonly lines: string[] = [];
  readonly given: unknown[] = [];
  #names = 0;

  /**
   * The literal of an object's declared fields; null for an object that must be left to zod. `all`: the columns of the
   * row, of which those the object has not are null.
   */
  fields(
    schema: z.core.$ZodType,
    columns: readonly Column[],
    input: string,
    all: readonly Column[] = columns,
  ): string | null {
    const { type, shape, checks, catchall } = definitionOf(schema);
    if (type !== 'object' || shape === undefined || checks?.length || catchall) return null;
    const names = Object.keys(shape);
    if (names.some(inherited) || names.length !== columns.length) return null;
    if (columns.some(({ name }) => !Object.hasOwn(shape, name))) return null;
    if (all.some(({ name }) => inherited(name))) return null;
    this.#unless(`typeof ${input} === 'object' && ${input} !== null && !Array.isArray(${input})`);
    const fields = all.map(({ name, type: columnType }) => {
      if (!Object.hasOwn(shape, name)) return `${JSON.stringify(name)}: null`;
      const field = this.#name();
      this.lines.push(`const ${field} = ${input}[${JSON.stringify(name)}];`);
      return `${JSON.stringify(name)}: ${this.#value(shape[name]!, columnType, field)}`;
    });
    return `{ ${fields.join(', ')} }`;
  }

  /** Lines that return the row of an event, by its type; nothing for a type whose variant must be left to zod. */
  variants({ discriminator, variants }: Variants, columns: readonly Column[], input: string): boolean {
    this.#unless(`typeof ${input} === 'object' && ${input} !== null && !Array.isArray(${input})`);
    const type = this.#name();
    this.lines.push(`const ${type} = ${input}[${JSON.stringify(discriminator)}];`);
    let settled = 0;
    for (const { schema, types, columns: own } of variants) {
      const before = this.lines.length;
      this.lines.push(`if (${types.map((value) => `${type} === ${JSON.stringify(value)}`).join(' || ')}) {`);
      const result = types.every(isPlainScalar) ? this.fields(schema, own, input, columns) : null;
      if (result === null) {
        this.lines.length = before;
        continue;
      }
      settled++;
      this.lines.push(`return ${result};`, '}');
    }
    return settled > 0;
  }

  /** Lines that return unless the schema takes what `input` names, and the expression of what it becomes. */
  #value(schema: z.core.$ZodType, type: ColumnType, input: string): string {
    const definition = definitionOf(schema);
    const { checks = [], innerType } = definition;
    switch (definition.type) {
      case 'string': {
        const conditions = checks.map((check) => lengthCondition(check, input));
        if (definition.coerce || definition.format || conditions.includes(null)) break;
        this.#unless([`typeof ${input} === 'string' && ${input}.isWellFormed()`, ...conditions].join(' && '));
        return input;
      }
      case 'number': {
        const conditions = [
          numberCondition(definition, input),
          ...checks.map((check) => numberCondition(check._zod.def, input)),
        ];
        if (definition.coerce || conditions.includes(null)) break;
        this.#unless(`typeof ${input} === 'number' && ${conditions.join(' && ')}`);
        return `${input} + 0`;
      }
      case 'boolean':
        if (definition.coerce || checks.length > 0) break;
        this.#unless(`typeof ${input} === 'boolean'`);
        return input;
      case 'enum':
      case 'literal': {
        const values = [...(schema._zod.values ?? [])];
        if (checks.length > 0 || values.length === 0 || !values.every(isPlainScalar)) break;
        if (values.length <= COMPARED_MAX)
          this.#unless(values.map((value) => `${input} === ${JSON.stringify(value)}`).join(' || '));
        else this.#unless(`${this.#give(new Set(values))}.has(${input})`);
        return values.some((value) => typeof value === 'number')
          ? `(typeof ${input} === 'number' ? ${input} + 0 : ${input})`
          : input;
      }
      case 'nullable':
        if (checks.length > 0) break;
        return this.#unlessMissing('null', innerType!, type, input);
      case 'optional':
        if (checks.length > 0) break;
        if (innerType!._zod.optin === undefined)
          return this.#unlessMissing('undefined', innerType!, type, input);
        // The inner schema has something of its own to put there.
        this.#unless(`${input} !== undefined`);
        return this.#value(innerType!, type, input);
      // What is there is decided by the inner schema; what is missing or refused there, by zod.
      case 'default':
      case 'prefault':
      case 'catch':
      case 'nonoptional':
        if (checks.length > 0) break;
        this.#unless(`${input} !== undefined`);
        return this.#value(innerType!, type, input);
      case 'readonly':
        if (checks.length > 0) break;
        return this.#value(innerType!, type, input);
      case 'pipe': {
        const scale = scaleOfDecimal(definition);
        if (checks.length > 0 || (scale === null && !isInstant(definition))) break;
        if (scale !== null) {
          this.#unless(`typeof ${input} === 'string' && isDecimalText(${input}, ${scale})`);
          return input;
        }
        const result = this.#name();
        this.lines.push(
          `const ${result} = typeof ${input} === 'string' && isCanonicalInstant(${input}) ? ${input} : instantOf(${input});`,
        );
        this.#unless(`${result} !== null`);
        return result;
      }
      case 'unknown':
      case 'any': {
        if (checks.length > 0) break;
        this.#unless(`${input} !== undefined`);
        const result = this.#name();
        this.lines.push(`let ${result}; try { ${result} = canonical(${input}); } catch { return; }`);
        return result;
      }
      case 'object': {
        if (type.kind !== 'object') break;
        const literal = this.fields(schema, type.columns, input);
        if (literal !== null) return literal;
        break;
      }
      case 'array': {
        if (checks.length > 0 || type.kind !== 'array') break;
        const [result, at, element] = [this.#name(), this.#name(), this.#name()];
        this.#unless(`Array.isArray(${input})`);
        this.lines.push(
          `const ${result} = [];`,
          `for (let ${at} = 0; ${at} < ${input}.length; ${at}++) {`,
          `const ${element} = ${input}[${at}];`,
        );
        this.lines.push(`${result}.push(${this.#value(definition.element!, type.element, element)});`, '}');
        return result;
      }
    }
    return this.#bySchema(schema, type, input);
  }

  /** Null where `input` is the named kind of nothing, else what the inner schema makes of it. */
  #unlessMissing(
    nothing: 'null' | 'undefined',
    inner: z.core.$ZodType,
    type: ColumnType,
    input: string,
  ): string {
    const result = this.#name();
    this.lines.push(`let ${result} = null;`, `if (${input} !== ${nothing}) {`);
    this.lines.push(`${result} = ${this.#value(inner, type, input)};`, '}');
    return result;
  }

  /** Zod's own opinion of this one value, which leaves the rest of the record to generated code. */
  #bySchema(schema: z.core.$ZodType, type: ColumnType, input: string): string {
    const decide = (value: unknown): Value | undefined => {
      // Whether a field may be missing is not for its own schema to say.
      if (value === undefined) return undefined;
      const decided = applySchema(schema, value);
      if ('issues' in decided) return undefined;
      try {
        return conform(decided.value, type, '');
      } catch {
        return undefined;
      }
    };
    const result = this.#name();
    this.lines.push(`const ${result} = ${this.#give(decide)}(${input});`);
    this.#unless(`${result} !== undefined`);
    return result;
  }

  #unless(condition: string): void {
    this.lines.push(`if (!(${condition})) return;`);
  }

  #name(): string {
    return `v${this.#names++}`;
  }

  #give(value: unknown): string {
    this.given.push(value);
    return `given[${this.given.length - 1}]`;
  }
}

const isPlainScalar = (value: unknown): boolean =>
  value === null ||
  typeof value === 'boolean' ||
  (typeof value === 'string' && value.isWellFormed()) ||
  (typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER);

/**
 * A condition under which a string surely meets a check; null for checks this file does not know. Zod counts code
 * points, of which a string has at most as many as units, and at least half as many.
 */
function lengthCondition(check: z.core.$ZodCheck<never>, input: string): string | null {
  const definition = check._zod.def as { check: string; minimum?: number; maximum?: number };
  if (definition.check === 'min_length' && Number.isSafeInteger(definition.minimum))
    return `${input}.length >= ${definition.minimum! <= 1 ? definition.minimum! : definition.minimum! * 2}`;
  if (definition.check === 'max_length' && Number.isSafeInteger(definition.maximum))
    return `${input}.length <= ${definition.maximum!}`;
  return null;
}

/** The condition of a number's format or bound; null for one this file does not know. */
function numberCondition(definition: unknown, input: string): string | null {
  const { check, format, value, inclusive } = definition as {
    check?: string;
    format?: string;
    value?: unknown;
    inclusive?: boolean;
  };
  if (check === undefined && format === undefined)
    return `${input} >= -9007199254740991 && ${input} <= 9007199254740991`;
  if (check === 'number_format') {
    if (format === 'safeint') return `Number.isSafeInteger(${input})`;
    if (format === 'int32')
      return `Number.isSafeInteger(${input}) && ${input} >= -2147483648 && ${input} <= 2147483647`;
    if (format === 'uint32')
      return `Number.isSafeInteger(${input}) && ${input} >= 0 && ${input} <= 4294967295`;
    return null;
  }
  if (typeof value !== 'number' || Number.isNaN(value)) return null;
  if (check === 'greater_than') return `${input} ${inclusive ? '>=' : '>'} ${value}`;
  if (check === 'less_than') return `${input} ${inclusive ? '<=' : '<'} ${value}`;
  return null;
}
