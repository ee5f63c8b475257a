import { DeclarationErrors, type StillwaterError } from '../errors/stillwater-error.js';
import { DeclarationError } from './declaration-error.js';
import { nodesOf } from './plan-nodes.js';
import type {
  SourceDeclaration,
  StreamDeclaration,
  TableDeclaration,
  ViewDeclaration,
} from './declarations.js';
import { problemsOf, type Problem } from './problem.js';
import { schemaSignature } from './schema-signature.js';

/** All that is wrong with these declarations and with what they read, each mistake once. */
export function declarationErrors(declarations: readonly SourceDeclaration[]): StillwaterError[] {
  const { found, cycles } = reach(declarations);
  const affected = new Map<Problem, SourceDeclaration[]>();
  for (const declaration of found)
    for (const problem of problemsOf(declaration))
      affected.set(problem, [...(affected.get(problem) ?? []), declaration]);
  const errors: StillwaterError[] = [...affected].map(
    ([problem, holders]) => new DeclarationError(problem, consequence(holders)),
  );
  errors.push(...cycles, ...duplicates(found));
  return errors;
}

/** @throws DeclarationErrors that say everything that is wrong, if anything is. */
export function checkDeclarations(declarations: readonly SourceDeclaration[]): void {
  const errors = declarationErrors(declarations);
  if (errors.length > 0) throw new DeclarationErrors(errors);
}

const titleOf = (declaration: SourceDeclaration): string => `${declaration.kind} "${declaration.name}"`;

function consequence(holders: readonly SourceDeclaration[]): string {
  const names = [...new Set(holders.map(titleOf))].join(', ');
  return `${names[0]!.toUpperCase()}${names.slice(1)} ${holders.length === 1 ? 'was' : 'were'} not started.`;
}

/** Everything declared here and everything it reads, each once, what is read before what reads it. */
function reach(declarations: readonly SourceDeclaration[]): {
  found: SourceDeclaration[];
  cycles: StillwaterError[];
} {
  const found = new Set<SourceDeclaration>();
  const cycles: StillwaterError[] = [];
  const visit = (declaration: SourceDeclaration, above: readonly SourceDeclaration[]): void => {
    const again =
      declaration.kind === 'view' ? above.findIndex((other) => other.name === declaration.name) : -1;
    if (again >= 0) {
      cycles.push(cycle(above.slice(again)));
      return;
    }
    if (found.has(declaration)) return;
    if (declaration.kind === 'view')
      for (const source of allSources(declaration)) visit(source, [...above, declaration]);
    found.add(declaration);
  };
  for (const declaration of declarations) visit(declaration, []);
  return { found: [...found], cycles };
}

/** Also of two sources of one name both. */
const allSources = (view: ViewDeclaration): SourceDeclaration[] => [
  ...new Set(nodesOf(view.plan).flatMap((node) => (node.op === 'source' ? [node.source] : []))),
];

const cycle = (views: readonly SourceDeclaration[]): StillwaterError =>
  new DeclarationError(
    {
      code: 'view-cycle',
      what: `The view "${views[0]!.name}" reads itself.`,
      evidence: { 'by way of': [...views, views[0]!].map(({ name }) => name).join(' → ') },
      remedy: 'Take one of these views out of what another reads.',
      place: views[0]!.place,
    },
    'None of these views was started.',
  );

function duplicates(found: readonly SourceDeclaration[]): StillwaterError[] {
  const errors: StillwaterError[] = [];
  const views = new Map<string, ViewDeclaration>();
  const sources = new Map<string, StreamDeclaration | TableDeclaration>();
  const redisKeys = new Map<string, StreamDeclaration | TableDeclaration>();
  for (const declaration of found) {
    if (declaration.kind === 'view') {
      const other = views.get(declaration.name);
      if (other)
        errors.push(
          duplicate(other, declaration, `Two views are named "${declaration.name}".`, 'Rename one of them.'),
        );
      views.set(declaration.name, declaration);
      continue;
    }
    const other = sources.get(declaration.name);
    if (other && !isSameSource(other, declaration))
      errors.push(
        duplicate(
          other,
          declaration,
          other.kind === declaration.kind
            ? `Two different ${declaration.kind}s are named "${declaration.name}".`
            : `A stream and a table are both named "${declaration.name}".`,
          'Declare it once and import it, or rename one.',
        ),
      );
    sources.set(declaration.name, declaration);
    const owner = redisKeys.get(declaration.redisKey);
    if (owner && owner.name !== declaration.name)
      errors.push(
        duplicate(
          owner,
          declaration,
          `The ${titleOf(owner)} and the ${titleOf(declaration)} have one Redis key, "${declaration.redisKey}".`,
          'Give each its own `redisKey`.',
        ),
      );
    redisKeys.set(declaration.redisKey, declaration);
  }
  return errors;
}

function duplicate(
  one: SourceDeclaration,
  other: SourceDeclaration,
  what: string,
  remedy: string,
): StillwaterError {
  const evidence = { one: one.place ?? titleOf(one), other: other.place ?? titleOf(other) };
  return new DeclarationError(
    { code: 'duplicate-name', what, evidence, remedy, place: null },
    'Neither was started.',
  );
}

function isSameSource(
  one: StreamDeclaration | TableDeclaration,
  other: StreamDeclaration | TableDeclaration,
): boolean {
  if (one === other) return true;
  const text = ({
    schema,
    columns: _columns,
    place: _place,
    ...rest
  }: StreamDeclaration | TableDeclaration): string => JSON.stringify([rest, schemaSignature(schema)]);
  return text(one) === text(other);
}
