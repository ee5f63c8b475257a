import { describeSettings, readSettings, settingsHelp } from '../src/settings.js';

describe('settings', () => {
  it('have defaults for everything that can have one', () => {
    expect(readSettings({})).toEqual({
      port: 3000,
      host: '127.0.0.1',
      redisUrl: null,
      dataDirectory: '.stillwater',
      prefix: 'sw',
      token: null,
      viewsDirectory: null,
      role: 'all',
      release: null,
    });
  });

  it('take an empty text for not set', () => {
    expect(readSettings({ PORT: '', REDIS_URL: '', STILLWATER_ROLE: '' })).toMatchObject({
      port: 3000,
      redisUrl: null,
      role: 'all',
    });
  });

  it('are all reported at once when several are wrong', () => {
    const read = () =>
      readSettings({
        PORT: '70000',
        STILLWATER_ROLE: 'boss',
        STILLWATER_PREFIX: 'a b',
        REDIS_URL: 'localhost:6379',
      });
    expect(read).toThrow(/4 settings are wrong/);
    for (const name of ['PORT', 'STILLWATER_ROLE', 'STILLWATER_PREFIX', 'REDIS_URL'])
      expect(read).toThrow(new RegExp(`^  ${name}  `, 'm'));
  });

  it('keep secrets out of what they say', () => {
    for (const environment of [{ STILLWATER_TOKEN: 'hunter2' }, { REDIS_URL: 'http://me:hunter2@host' }])
      expect(() => readSettings(environment)).toThrow(/^((?!hunter2)[^])*the value given((?!hunter2)[^])*$/);
  });

  it.each(['0.0.0.0', '192.168.1.7', '::', 'example.org'])(
    'refuse to listen on %s without a token',
    (host) => {
      expect(() => readSettings({ HOST: host })).toThrow(/STILLWATER_TOKEN is not set/);
      expect(readSettings({ HOST: host, STILLWATER_TOKEN: 'a-token-of-some-length' }).host).toBe(host);
    },
  );

  it.each(['127.0.0.1', '127.0.1.1', 'localhost', '::1'])('need no token on %s', (host) => {
    expect(readSettings({ HOST: host }).host).toBe(host);
  });

  it('are listed with their defaults for the README and the help', () => {
    expect(describeSettings().find(({ name }) => name === 'PORT')).toMatchObject({ default: '3000' });
    for (const { name } of describeSettings()) expect(settingsHelp()).toContain(name);
  });
});
