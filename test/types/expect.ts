/** Compiles only for `true`. */
export type Expect<T extends true> = T;
/** True for types that are equal in every position, not just assignable. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
