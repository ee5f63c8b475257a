import { ServiceLogger } from '../src/service-logger.js';

const said = (isTTY: boolean, say: (logger: ServiceLogger) => void): string => {
  let text = '';
  say(new ServiceLogger({ isTTY, write: (more: string) => (text += more) }));
  return text;
};

describe('what the service says while it runs', () => {
  it('is a plain sentence a line, without how Nest puts it together', () => {
    expect(
      said(false, (logger) => {
        logger.log('Starting Nest application...', 'NestFactory');
        logger.log('RedisModule dependencies initialized', 'InstanceLoader');
        logger.log('Mapped {/views, GET} route', 'RouterExplorer');
        logger.log('Release 1: 4 views.', 'Stillwater');
        logger.warn('The connection to Redis for waits is lost.');
      }),
    ).toBe('Release 1: 4 views.\nwarning: The connection to Redis for waits is lost.\n');
  });

  it('tells an error with its stack where there is one, and not twice what is thrown as well', () => {
    expect(
      said(false, (logger) => logger.error('It broke.', 'Error: no\n    at here (file.ts:1:1)', 'serving')),
    ).toBe('error: It broke.\nError: no\n    at here (file.ts:1:1)\n');
    expect(said(false, (logger) => logger.error('busiest-routes is parked.', undefined, 'Worker'))).toBe(
      'error: busiest-routes is parked.\n',
    );
    expect(said(false, (logger) => logger.error('Error: listen EADDRINUSE', 'NestApplication'))).toBe('');
  });

  it('is coloured on a terminal only', () => {
    expect(said(true, (logger) => logger.warn('Careful.'))).toBe('\x1b[33mwarning:\x1b[0m Careful.\n');
  });
});
