import { randomUUID } from 'node:crypto';
import { redisPorts } from '../../src/redis/redis.module.js';
import type { Ports } from '../../src/runtime/ports/ports.js';
import { drive } from '../../src/runtime/drive.js';
import type { CommitRequest, TaskRecord } from '../../src/runtime/ports/task-store.js';
import type { OwnerToken, TaskId } from '../../src/runtime/task-id.js';
import { compileView } from '../../src/view/compile-plan.js';
import type { CompiledView } from '../../src/view/compiled-stage.js';
import type { ViewDeclaration } from '../../src/view/declarations.js';
import type { Delta } from '../../src/zset/delta.js';
import type { Row } from '../../src/zset/value.js';
import { connected } from '../support/connected.js';
import { Random } from '../support/random.js';
import { describeWithRedis } from '../support/redis-server.js';
import { closeDatabase, Comparison, type Mirror, openDatabase } from './comparison.js';
import { randomPlan } from './random-plan.js';

/** A sample of the oracle's plans, with every tick committed to a real Redis and state fetched back from it. */
const PLANS = Number(process.env.ORACLE_REDIS_PLANS ?? 15);
const SEED = Number(process.env.ORACLE_SEED ?? 20_260_301);

describeWithRedis('a view maintained in Redis equals the same query in DuckDB after every tick', () => {
  const { connections } = connected();
  beforeAll(openDatabase);
  afterAll(closeDatabase);

  for (let number = 0; number < PLANS; number++)
    test(`for the random plan ${SEED + number}`, async () => {
      const random = new Random(SEED + number);
      const twin = randomPlan(random, 1 + random.below(4));
      const mirror = (view: ViewDeclaration): Promise<Mirror> =>
        OnRedis.start(redisPorts(connections()), { ...view, name: `plan-${number}` });
      await new Comparison(random, twin, mirror).run();
    });
});

/** A circuit over the task store of Redis, with a cache that forgets. */
class OnRedis implements Mirror {
  readonly task: TaskId;
  #compiled!: CompiledView;
  #token!: OwnerToken;
  #record!: TaskRecord;

  private constructor(
    readonly ports: Ports,
    readonly view: ViewDeclaration,
  ) {
    this.task = { view: view.name, generation: 1, stage: 0, partition: 0 };
  }

  static async start(ports: Ports, view: ViewDeclaration): Promise<OnRedis> {
    const kept = new OnRedis(ports, view);
    await kept.restart();
    return kept;
  }

  async restart(): Promise<void> {
    const [status] = await this.ports.tasks.status([this.task]);
    const claimed = (await this.ports.tasks.claim(this.task, randomUUID(), status!.epoch))!;
    this.#token = claimed.token;
    this.#record = claimed.record ?? {
      tick: 0,
      positions: {},
      frontier: {},
      rows: 0,
      conflicts: 0,
      errors: 0,
      checksum: '0'.repeat(16),
      clocks: {},
      commit: '',
      applied: null,
      reaching: null,
      late: 0,
      extra: {},
    };
    this.#compiled = compileView(this.view, { budget: { entriesMax: 4 } });
  }

  async tick(inputs: ReadonlyMap<string, Delta>): Promise<void> {
    await this.#step(inputs);
    while (this.#compiled.circuit.unfinished) await this.#step(new Map());
  }

  async #step(inputs: ReadonlyMap<string, Delta>): Promise<void> {
    const { circuit, output, errors } = this.#compiled;
    const { tasks } = this.ports;
    await drive(circuit, inputs, (wanted) => tasks.fetch(this.task, this.view.buckets, wanted));
    const result = output.takeResult();
    errors.takeResult();
    const record = {
      ...this.#record,
      tick: this.#record.tick + 1,
      commit: randomUUID(),
      rows: this.#record.rows + result.rows,
    };
    const request: CommitRequest = {
      task: this.task,
      token: this.#token,
      tick: record.tick,
      nonce: record.commit,
      buckets: this.view.buckets,
      record,
      from: this.#record.positions,
      follows: this.#record.commit,
      keyed: circuit.states.flatMap((state) =>
        state.kind === 'keyed' ? [{ state: state.name, writes: state.writes() }] : [],
      ),
      ordered: circuit.states.flatMap((state) =>
        state.kind === 'ordered' ? [{ state: state.name, writes: [...state.writes()] }] : [],
      ),
      indexes: circuit.states.flatMap((state) =>
        state.kind === 'index' ? [{ state: state.name, writes: [...state.writes()] }] : [],
      ),
      changelog: null,
      changelogFrom: 0,
    };
    circuit.seal();
    expect((await tasks.commit(request)).status).toBe('committed');
    circuit.acknowledge();
    this.#record = record;
  }

  async rows(): Promise<Row[]> {
    const { rows, record } = await this.ports.views.all(this.task, this.view.buckets);
    expect(record?.rows ?? 0).toBe(rows.length);
    return rows.map(({ text }) => JSON.parse(text) as Row);
  }
}
