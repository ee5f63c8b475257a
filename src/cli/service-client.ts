import { messageOf, StillwaterError } from '../errors/stillwater-error.js';
import { ServiceProblem } from './service-problem.js';

/** How long the service may take for one answer. */
const ANSWER_MS_MAX = 30_000;
/** Repeats of a request that may be repeated, and the pauses between them. */
const ATTEMPTS_MAX = 8;
const RETRY_MS_MIN = 200;
const RETRY_MS_MAX = 5_000;

/** What Node says where there is nobody at an address. */
const UNREACHABLE: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'bad port',
]);

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: any;
}

export interface Posted {
  readonly body?: string;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sending it again does no harm: so it is sent again where the service does not answer or says "not now". */
  readonly repeatable?: boolean;
}

/** A running service, over REST. */
export class ServiceClient {
  readonly url: string;
  readonly #token: string | null;
  /** It was there a moment ago: where it is gone now it is being restarted, and worth waiting for. */
  #wasThere = false;

  constructor(environment: Readonly<Record<string, string | undefined>> = process.env) {
    const url = environment.STILLWATER_URL || `http://127.0.0.1:${environment.PORT || 3000}`;
    const said = environment.STILLWATER_URL ? 'STILLWATER_URL' : 'PORT';
    if (!/^https?:\/\//.test(url) || !URL.canParse(url))
      throw new StillwaterError('wrong-settings', {
        what: `${said} does not say where the service is.`,
        evidence: `  ${said}  ${JSON.stringify(environment[said])}`,
        consequence: 'Nothing was done.',
        remedy: 'Set STILLWATER_URL to a URL such as http://127.0.0.1:3000.',
      });
    this.url = url.replace(/\/+$/, '');
    this.#token = environment.STILLWATER_TOKEN || null;
  }

  /** @throws ServiceProblem, StillwaterError `service-unreachable` */
  async get(path: string): Promise<any> {
    return (await this.#retried(() => this.#send('GET', path, {}))).body;
  }

  async post(path: string, posted: Posted = {}): Promise<Answer> {
    const send = (): Promise<Answer> => this.#send('POST', path, posted);
    return posted.repeatable ? this.#retried(send) : send();
  }

  async delete(path: string): Promise<any> {
    return (await this.#send('DELETE', path, {})).body;
  }

  async #retried(send: () => Promise<Answer>): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await send();
      } catch (thrown) {
        if (attempt === ATTEMPTS_MAX || !this.#passes(thrown)) throw thrown;
        await new Promise((resolve) =>
          setTimeout(resolve, Math.min(RETRY_MS_MIN * 2 ** (attempt - 1), RETRY_MS_MAX)),
        );
      }
    }
  }

  #passes(thrown: unknown): boolean {
    if (thrown instanceof ServiceProblem) return thrown.status === 503;
    return (
      thrown instanceof StillwaterError &&
      (thrown.code === 'service-cut' || (thrown.code === 'service-unreachable' && this.#wasThere))
    );
  }

  async #send(method: string, path: string, { body, contentType, headers }: Posted): Promise<Answer> {
    let response: Response;
    let text: string;
    try {
      response = await fetch(this.url + path, {
        method,
        ...(body !== undefined && { body }),
        headers: {
          accept: 'application/json',
          ...(contentType !== undefined && { 'content-type': contentType }),
          ...(this.#token !== null && { authorization: `Bearer ${this.#token}` }),
          ...headers,
        },
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
      });
      text = await response.text();
    } catch (thrown) {
      throw this.#unreachable(thrown);
    }
    this.#wasThere = true;
    const parsed = jsonOf(text);
    if (!response.ok)
      throw new ServiceProblem(
        response.status,
        parsed !== null && typeof parsed === 'object'
          ? parsed
          : { detail: `The service answered ${response.status} ${response.statusText}.` },
      );
    return { status: response.status, headers: response.headers, body: parsed };
  }

  #unreachable(thrown: unknown): StillwaterError {
    const cause = (thrown as { cause?: { code?: string; message?: string } }).cause;
    // Before anything was sent.
    const refused = UNREACHABLE.has(cause?.code ?? cause?.message ?? '');
    return new StillwaterError(
      refused ? 'service-unreachable' : 'service-cut',
      {
        what: refused
          ? 'No Stillwater service answers.'
          : 'The Stillwater service did not answer to the end.',
        evidence: `  asked  ${this.url}\n  said   ${cause?.code ?? cause?.message ?? messageOf(thrown)}`,
        consequence: refused ? 'Nothing was done.' : 'Whether it was done is not known.',
        remedy: refused
          ? 'Start it with `stillwater start`, or say where it is: STILLWATER_URL.'
          : 'Ask again.',
      },
      { cause: thrown },
    );
  }
}

/** One part of a path. */
export const segment = (name: string): string => encodeURIComponent(name);

function jsonOf(text: string): any {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
