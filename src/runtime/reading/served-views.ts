import { StillwaterError } from '../../errors/stillwater-error.js';
import type { Catalog } from '../catalog.js';
import type { Generation } from '../ports/registry.js';
import type { RegistryWatch } from '../registry-watch.js';
import { servedView, type ServedView } from './served-view.js';

/** Which generation of each view readers get: those the registry names, whether or not this process has their code. */
export class ServedViews {
  readonly #views = new WeakMap<Generation, ServedView>();

  constructor(
    /** What is declared now: in `dev` it changes as files are saved. */
    readonly declared: () => Catalog,
    readonly watch: RegistryWatch,
  ) {}

  get catalog(): Catalog {
    return this.declared();
  }

  /** Declared here or known to the registry, in the order of the catalog. */
  names(): string[] {
    const stored = this.watch.snapshot.generations
      .filter(({ state }) => state !== 'shadow' && state !== 'dropping')
      .map(({ view }) => view);
    return [...new Set([...this.catalog.views.keys(), ...stored.sort()])];
  }

  generations(view: string): Generation[] {
    return this.watch.snapshot.generations.filter((generation) => generation.view === view);
  }

  /** @throws StillwaterError `unknown-view`, `not-serving` */
  async get(name: string): Promise<ServedView> {
    const view = this.find(name);
    if (view) return view;
    await this.watch.refresh();
    const refreshed = this.find(name);
    if (refreshed) return refreshed;
    if (!this.names().includes(name)) throw this.unknown(name);
    throw new StillwaterError('not-serving', {
      what: `View "${name}" has no rows to read yet.`,
      evidence: `generations  ${this.#told(name)}`,
      consequence: 'Nothing was read.',
      remedy: `No action if it is building: it serves as soon as it has caught up (GET /views/${encodeURIComponent(name)} shows how far it is). Else start a worker that has its code.`,
    });
  }

  find(name: string): ServedView | null {
    const generation = this.watch.serving(name);
    if (!generation) return null;
    let view = this.#views.get(generation);
    if (!view) this.#views.set(generation, (view = servedView(generation)));
    return view;
  }

  /** A generation that need not serve. @throws StillwaterError `unknown-view`, `unknown-generation` */
  async generation(name: string, number: number): Promise<ServedView> {
    const found = (): Generation | undefined =>
      this.generations(name).find((generation) => generation.number === number);
    if (!found()) await this.watch.refresh();
    const generation = found();
    if (generation) return servedView(generation);
    if (!this.names().includes(name)) throw this.unknown(name);
    throw new StillwaterError('unknown-generation', {
      what: `View "${name}" has no generation ${number}.`,
      evidence: `generations  ${this.#told(name)}`,
      consequence: 'Nothing was read.',
      remedy: 'Use one of these.',
    });
  }

  #told(name: string): string {
    return (
      this.generations(name)
        .map(({ number, state }) => `${number} ${state}`)
        .join(', ') || 'none'
    );
  }

  unknown(name: string): StillwaterError {
    return new StillwaterError('unknown-view', {
      what: `There is no view "${name}".`,
      evidence: `views  ${this.names().join(', ') || 'none'}`,
      consequence: 'Nothing was done.',
      remedy: 'Use one of these names (GET /views).',
    });
  }
}
