import { sourcesOf } from '../view/plan-nodes.js';
import type {
  SourceDeclaration,
  StreamDeclaration,
  TableDeclaration,
  ViewDeclaration,
} from '../view/declarations.js';

/** All that an application declares, by name: its views, and the streams and tables they read. */
export class Catalog {
  readonly streams = new Map<string, StreamDeclaration>();
  readonly tables = new Map<string, TableDeclaration>();
  /** In an order in which no view comes before one it reads. */
  readonly views = new Map<string, ViewDeclaration>();

  constructor(declarations: readonly SourceDeclaration[]) {
    this.replace(declarations);
  }

  /** Puts other declarations in the place of all these: views are edited while they are served. */
  replace(declarations: readonly SourceDeclaration[]): void {
    for (const known of [this.streams, this.tables, this.views]) known.clear();
    for (const declaration of declarations) this.#add(declaration);
  }

  /** The views that read `name`, directly. */
  dependentsOf(name: string): ViewDeclaration[] {
    return [...this.views.values()].filter((view) =>
      sourcesOf(view.plan).some((source) => source.kind === 'view' && source.name === name),
    );
  }

  #add(declaration: SourceDeclaration): void {
    if (declaration.kind === 'stream') this.streams.set(declaration.name, declaration);
    else if (declaration.kind === 'table') this.tables.set(declaration.name, declaration);
    else if (!this.views.has(declaration.name)) {
      for (const source of sourcesOf(declaration.plan)) this.#add(source);
      this.views.set(declaration.name, declaration);
    }
  }
}
