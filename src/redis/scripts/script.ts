import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Command } from 'ioredis';
import type { Connection } from '../connect.js';
import { isUnknownScript } from '../replies.js';
import { EncodedCall } from './encoded-call.js';

/** One of the Lua files beside this one, run by its hash. */
export class Script {
  readonly text: string;
  readonly hash: string;

  constructor(readonly name: string) {
    this.text = readFileSync(new URL(`./${name}.lua`, import.meta.url), 'utf8');
    this.hash = createHash('sha1').update(this.text).digest('hex');
  }

  run(redis: Connection, keys: readonly string[], args: readonly string[]): Promise<any> {
    const all = [this.hash, String(keys.length)];
    for (const key of keys) all.push(key);
    for (const argument of args) all.push(argument);
    return this.runFlat(redis, all);
  }

  /** The same with the arguments of EVALSHA as one array, whose first place is filled in here: no copy on the way of commits. */
  async runFlat(redis: Connection, all: string[]): Promise<any> {
    all[0] = this.hash;
    try {
      return await redis.sendCommand(new EncodedCall(all));
    } catch (thrown) {
      if (!isUnknownScript(thrown)) throw thrown;
      // A new server, or one whose scripts were flushed. Nothing was run, so that running it now is not a repeat. With its
      // text it goes where its keys are, on a cluster too, and is known there from then on.
      return await redis.sendCommand(
        new Command('eval', [this.text, ...all.slice(1)], { replyEncoding: 'utf8' }),
      );
    }
  }
}
