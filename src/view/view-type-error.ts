declare const sentence: unique symbol;

/**
 * What a declaration's argument should have been, said in a sentence: the compiler prints it where the mistake
 * is written. No value has this type.
 */
export interface ViewTypeError<Sentence extends string> {
  readonly [sentence]: Sentence;
}

/** What a function of a view must not return. */
export type NotAsync = 'A view function gives its value at once; it cannot be async.';
