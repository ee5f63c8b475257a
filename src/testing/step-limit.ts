import { createContext, Script } from 'node:vm';
import { pure } from '../circuit/pure.js';
import { StillwaterError } from '../errors/stillwater-error.js';
import type { ViewDeclaration } from '../view/declarations.js';

/** As long as a step may take in production before its process is ended (`stepMsMax`). */
export const STEP_MS_MAX = 10_000;

/** How much of a function is told. */
const SOURCE_MAX = 200;

/** What a script runs that is given to it: a script can be stopped wherever it is. */
const context = createContext({ step: null }) as { step: (() => void) | null };
const script = new Script('step()');

/**
 * Ends a step that does not come to an end, and says which function of which view it was: in production a watchdog ends
 * the whole process, and a test run would hang.
 */
export class StepLimit {
  /** The last function that was called. Not taken back when it answers: what it gave may be what does not end. */
  #called: { op: string; source: string } | null = null;

  constructor(readonly stepMsMax = STEP_MS_MAX) {}

  /** The view with functions that say that they run. Nothing else of it is another. */
  watched(view: ViewDeclaration): ViewDeclaration {
    return { ...view, plan: this.#copy(view.plan, '', new Map()) as ViewDeclaration['plan'] };
  }

  /** Runs a step of a watched view. */
  within<T>(view: ViewDeclaration, step: () => T): T {
    let result!: T;
    this.#called = null;
    context.step = () => void (result = step());
    try {
      // What is stopped runs no `finally`: clock and randomness are taken away, and given back, around it.
      pure(() => script.runInContext(context as object, { timeout: this.stepMsMax }) as unknown);
      return result;
    } catch (thrown) {
      if ((thrown as { code?: unknown } | null)?.code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw thrown;
      throw this.#endless(view.name);
    } finally {
      context.step = null;
    }
  }

  #endless(view: string): StillwaterError {
    const called = this.#called as { op: string; source: string } | null;
    return new StillwaterError('endless-step', {
      what: `A step of the view "${view}" does not come to an end${called ? `: it was in a function of \`${called.op}\`` : ''}.`,
      evidence: `  stopped after  ${this.stepMsMax} ms${called ? `\n  function       ${called.source.slice(0, SOURCE_MAX)}` : ''}`,
      consequence:
        'In production the process that runs it is ended, and in time the entry it loops on is left out.',
      remedy: 'Correct it; or, if a step needs so long, say so: expect(view, { stepMsMax: … }).',
    });
  }

  /** Nodes that are one stay one: compiled, they are one operator. What is frozen stays so: a function may be handed it. */
  #copy(value: unknown, op: string, copies: Map<object, unknown>): unknown {
    if (typeof value !== 'object' || value === null) return value;
    const known = copies.get(value);
    if (known !== undefined) return known;
    if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return value;
    const of = value as Record<string, unknown>;
    const copy: Record<string, unknown> | unknown[] = Array.isArray(value) ? [] : {};
    copies.set(value, copy);
    const inOp = typeof of['op'] === 'string' ? of['op'] : op;
    for (const [name, part] of Object.entries(of))
      (copy as Record<string, unknown>)[name] =
        name === 'source' || name === 'relation' ? part : this.#copy(part, inOp, copies);
    const { call, source } = of;
    if (typeof call === 'function' && typeof source === 'string')
      (copy as Record<string, unknown>)['call'] = (...rows: unknown[]): unknown => {
        this.#called = { op: inOp, source };
        return call(...rows) as unknown;
      };
    return Object.isFrozen(value) ? Object.freeze(copy) : copy;
  }
}
