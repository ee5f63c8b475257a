import { Collection } from './collection.js';
import { sealed } from './declaration-of.js';
import type { SourceDeclaration } from './declarations.js';
import { attachProblems, type Problem } from './problem.js';
import { sourceRelation } from './relation.js';

/** The rows of something that has a name: what `stream`, `table` and `view` give. Frozen, as its declaration is. */
export abstract class Declared<
  Declaration extends SourceDeclaration,
  in out Row,
  in out Key extends string | null,
  in out Tag extends string | null = null,
> extends Collection<Row, Key, Tag> {
  constructor(
    readonly declaration: Declaration,
    problems: readonly Problem[],
  ) {
    super({
      op: 'source',
      source: declaration,
      relation: sourceRelation(declaration),
      place: declaration.place,
    });
    Object.freeze(attachProblems(declaration, problems));
    sealed(this);
  }
}
