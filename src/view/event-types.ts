import type { z } from 'zod';
import type { RowOfSchema } from './row-type.js';
import type { NotAsync, ViewTypeError } from './view-type-error.js';

/** The name of the column that tells the types of events of a schema; null for one that is no discriminated union. */
export type TagOf<S> = S extends z.core.$ZodDiscriminatedUnion<any, infer Tag extends string> ? Tag : null;

type TypeValue = string | number | boolean | null;

/** The types that events can be of. */
export type TypeOf<Event, Tag extends string | null> = Event extends {
  readonly [N in Tag & string]: infer Type;
}
  ? Type
  : never;

/** The events of these types. */
export type EventOfType<Event, Tag extends string | null, Type> = Event extends {
  readonly [N in Tag & string]: infer Own;
}
  ? [Extract<Own, Type>] extends [never]
    ? never
    : [Own] extends [Type]
      ? Event
      : { [C in keyof Event]: C extends Tag ? Extract<Event[C], Type> : Event[C] }
  : never;

type TypeText<Type> = Type extends TypeValue ? `${Type}` : never;

/** A list of types that there are; what else stands in it is told in a sentence. */
export type CheckedTypes<Event, Tag extends string | null, Types extends readonly unknown[]> = [Tag] extends [
  null,
]
  ? {
      [
        I in keyof Types
      ]: ViewTypeError<'of() takes events of one type out of a stream whose schema is z.discriminatedUnion(…).'>;
    }
  : {
      [I in keyof Types]: Types[I] extends TypeOf<Event, Tag>
        ? Types[I]
        : TypeOf<Event, Tag> | ViewTypeError<`There are no events of the type "${TypeText<Types[I]>}".`>;
    };

/** What may be given for a state: what its schema takes, with null for what may be missing. */
export type StateInput<S extends z.core.$ZodType> = NullForMissing<z.input<S>>;
type NullForMissing<T> = T extends object
  ? { [C in keyof T]: undefined extends T[C] ? T[C] | null : T[C] }
  : T;

/** Unknown for a state whose columns are not the group's as well; else a sentence. */
export type StateOfGroup<Group, S extends z.core.$ZodType> = [keyof Group & keyof z.output<S>] extends [never]
  ? unknown
  : ViewTypeError<`The group has a column "${keyof Group & keyof z.output<S> & string}": leave it out of the state.`>;

/** A function for each type of event that changes the state. */
export type HandlersOf<Event, Tag extends string | null, S extends z.core.$ZodType, Types> = [Tag] extends [
  null,
]
  ? ViewTypeError<'on() tells events by their type: the schema of the stream is z.discriminatedUnion(…), or write .with((state, event) => …).'>
  : {
      [T in keyof Types]: T extends TypeText<TypeOf<Event, Tag>>
        ? (
            state: RowOfSchema<S>,
            event: EventWithText<Event, Tag, T>,
          ) => StateInput<S> | null | ViewTypeError<NotAsync>
        : ViewTypeError<`There are no events of the type "${T & string}".`>;
    };

type EventWithText<Event, Tag extends string | null, Text> = EventOfType<
  Event,
  Tag,
  TypeOf<Event, Tag> extends infer Type
    ? Type extends TypeValue
      ? `${Type}` extends Text
        ? Type
        : never
      : never
    : never
>;
