import type { z } from 'zod';
import type { ViewTypeError } from './view-type-error.js';

/** An object type written out, so that editors show columns and not an intersection. */
export type Flat<T> = { [C in keyof T]: T[C] };

type Scalar = string | number | boolean | null;

/** A value as rows hold it: null stands for what is missing, at every depth. */
export type Stored<T> = unknown extends T
  ? T
  : T extends undefined
    ? null
    : T extends Scalar
      ? T
      : T extends readonly (infer Element)[]
        ? Stored<Element>[]
        : T extends object
          ? { [C in keyof T]-?: Stored<T[C]> }
          : T;

/** The row a schema describes: its output, after defaults and transforms. */
export type RowOfSchema<S extends z.core.$ZodType> = Flat<Stored<z.output<S>>>;

type Special =
  Date | Map<unknown, unknown> | Set<unknown> | RegExp | Promise<unknown> | ArrayBuffer | ArrayBufferView;

type Deeper = [never, 0, 1, 2, 3];

/** What JSON could not keep of a type, named; never where all of it can be kept. */
type Unstorable<T, Depth extends number = 4> = unknown extends T
  ? never
  : [T] extends [never]
    ? never
    : [T] extends [undefined]
      ? 'nothing but undefined'
      : Depth extends 0
        ? never
        : T extends Scalar | undefined
          ? never
          : T extends bigint
            ? 'a bigint'
            : T extends symbol
              ? 'a symbol'
              : T extends Date
                ? 'a Date'
                : T extends Special
                  ? 'an object with behaviour (Map, Set, Promise, …)'
                  : T extends (...args: never) => unknown
                    ? 'a function'
                    : T extends readonly (infer Element)[]
                      ? Unstorable<Element, Deeper[Depth]>
                      : { [C in keyof T]-?: Unstorable<T[C], Deeper[Depth]> }[keyof T];

type UnstorableColumns<Row> = {
  [C in keyof Row & string]-?: [Unstorable<Row[C]>] extends [never] ? never : C;
}[keyof Row & string];

/** Unknown for the schema of a row that JSON can keep; else the sentence that names the column. */
export type StorableRow<S extends z.core.$ZodType> = [z.output<S>] extends [readonly unknown[]]
  ? ViewTypeError<'The schema of a row is an object: z.object({ … }).'>
  : [z.output<S>] extends [object]
    ? [UnstorableColumns<z.output<S>>] extends [never]
      ? unknown
      : ViewTypeError<`Column "${UnstorableColumns<z.output<S>>}" holds ${Unstorable<z.output<S>[UnstorableColumns<z.output<S>> & keyof z.output<S>]>}, which JSON cannot keep: use instant(), a number, text or plain objects.`>
    : ViewTypeError<'The schema of a row is an object: z.object({ … }).'>;

/** Unknown for the schema of a value that JSON can keep; else a sentence. */
export type StorableValue<S extends z.core.$ZodType> = [Unstorable<z.output<S>>] extends [never]
  ? unknown
  : ViewTypeError<`This schema gives ${Unstorable<z.output<S>>}, which JSON cannot keep: use instant(), a number, text or plain objects.`>;
