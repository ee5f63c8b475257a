/**
 * Where an archive lies: whole objects under names, as a directory or the bucket of an object store keeps them. Nothing is
 * ever appended to, renamed or written a second time with other content.
 *
 * Names are `folder/file`, of letters, digits and `% . _ -`, at most 255 characters a part.
 */
export abstract class ObjectStore {
  /**
   * Called before anything was ever archived, by all that have the store, and then no more. A store that can be empty for another reason
   * (a directory on which nothing is mounted yet) marks itself here, and is an error to whoever finds no mark in it.
   * @throws StillwaterError `archive-unreachable`
   */
  async begin(): Promise<void> {}

  /**
   * Stores an object, all of it or nothing. When it returns the object is durable: what it was made of may be deleted. A
   * repeat with the same content changes nothing.
   * @throws StillwaterError `archive-unreachable`
   */
  abstract put(name: string, content: Uint8Array): Promise<void>;

  /** The content; null where there is no such object. Whether it is what was put is for the caller to see. */
  abstract get(name: string): Promise<Uint8Array | null>;

  /**
   * The names of what lies in a folder, in any order; an object whose `put` has returned is there. A store that cannot be reached is an
   * error and never an empty folder.
   */
  abstract list(folder: string): Promise<string[]>;

  /** Deletes an object. Repeatable. */
  abstract remove(name: string): Promise<void>;
}
