import type { LoggerService } from '@nestjs/common';

/** How Nest puts the application together: of use to nobody who runs it. */
const ASSEMBLY: readonly unknown[] = [
  'InstanceLoader',
  'NestApplication',
  'NestFactory',
  'RouterExplorer',
  'RoutesResolver',
];

const COLOURS = { warning: '\x1b[33m', error: '\x1b[31m' } as const;
const PLAIN = '\x1b[0m';

/**
 * What the service says while it runs, for people: a sentence a line, on stderr. stdout is left to what commands answer.
 * Coloured on a terminal only.
 */
export class ServiceLogger implements LoggerService {
  constructor(private readonly output: { isTTY?: boolean; write(text: string): unknown } = process.stderr) {}

  log(message: unknown, ...rest: unknown[]): void {
    if (!ASSEMBLY.includes(rest.at(-1))) this.#say(textOf(message));
  }

  warn(message: unknown): void {
    this.#say(textOf(message), 'warning');
  }

  /** Nest gives a stack, if any, and the context behind the message. What its assembly fails with is thrown as well. */
  error(message: unknown, ...rest: unknown[]): void {
    if (ASSEMBLY.includes(rest.at(-1))) return;
    const stack = rest.find((each) => typeof each === 'string' && /^\s+at /m.test(each));
    this.#say(stack === undefined ? textOf(message) : `${textOf(message)}\n${String(stack)}`, 'error');
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.error(message, ...rest);
  }

  #say(text: string, level?: keyof typeof COLOURS): void {
    if (level === undefined) return void this.output.write(`${text}\n`);
    const coloured = this.output.isTTY === true && !process.env.NO_COLOR;
    this.output.write(`${coloured ? `${COLOURS[level]}${level}:${PLAIN}` : `${level}:`} ${text}\n`);
  }
}

const textOf = (message: unknown): string =>
  message instanceof Error
    ? message.message
    : typeof message === 'string'
      ? message
      : JSON.stringify(message);
