import { describeSettings, readSettings, settingsHelp } from '../src/settings.js';

describe('settings', () => {
  it('have defaults for everything that can have one', () => {
    expect(readSettings({})).toEqual({
      port: 3000,
      host: '127.0.0.1',
      redisUrl: null,
      archive: null,
      replicas: 0,
      dataDirectory: '.stillwater',
      prefix: 'sw',
      token: null,
      viewsDirectory: null,
      role: 'all',
      release: null,
      limits: { runtime: {}, http: {}, jobs: {}, modules: {} },
    });
  });

  it('take an empty text for not set', () => {
    expect(readSettings({ PORT: '', REDIS_URL: '', STILLWATER_ROLE: '' })).toMatchObject({
      port: 3000,
      redisUrl: null,
      archive: null,
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

  it.each([
    'leaseMs=10000, rowsLimitMax = 50,driveMs=100',
    '{ "leaseMs": 10000, "rowsLimitMax": 50, "driveMs": 100 }',
  ])('take limits by name: %s', (text) => {
    expect(readSettings({ STILLWATER_LIMITS: text }).limits).toEqual({
      runtime: { leaseMs: 10_000 },
      http: { rowsLimitMax: 50 },
      jobs: { driveMs: 100 },
      modules: {},
    });
  });

  it('say which limit was probably meant, or which there are', () => {
    const read = (text: string) => () => readSettings({ STILLWATER_LIMITS: text });
    expect(read('leasems=1')).toThrow(
      /^ {2}STILLWATER_LIMITS {2}"leasems" is not a limit\. leaseMs is one$/m,
    );
    expect(read('colour=1')).toThrow(/"colour" is not a limit\. There are .*rebuildsMax/);
  });

  it('are not misspelt without being told, but for names that are nothing like them', () => {
    const read = (name: string) => () => readSettings({ [name]: 'x' });
    expect(read('STILLWATER_TOKE')).toThrow(
      /^ {2}STILLWATER_TOKE {2}is not a setting; STILLWATER_TOKEN is$/m,
    );
    expect(read('Stillwater_Rolle')).toThrow(/STILLWATER_ROLE is/);
    for (const name of [
      'STILLWATER_URL',
      'STILLWATER_PORT',
      'STILLWATER_SERVICE_HOST',
      'STILLWATER_PORT_3000_TCP',
      'TOKEN',
    ])
      expect(read(name)).not.toThrow();
  });

  it('give a limit to every part that has one of its name', () => {
    expect(readSettings({ STILLWATER_LIMITS: 'registryRefreshMs=500,rebuildsMax=1' }).limits).toEqual({
      runtime: { registryRefreshMs: 500, rebuildsMax: 1 },
      http: { registryRefreshMs: 500 },
      jobs: { rebuildsMax: 1 },
      modules: {},
    });
  });

  it.each([
    ['leaseMillis=5', /"leaseMillis" is not a limit\. There are .*\bleaseMs\b.*\browsLimitMax\b/],
    ['toString=5', /"toString" is not a limit/],
    ['leaseMs=0', /leaseMs is "0", and takes a whole number from 1 to 2147483647/],
    ['leaseMs=3000000000', /leaseMs is "3000000000"/],
    ['leaseMs=6s', /leaseMs is "6s"/],
    ['leaseMs', /"leaseMs" is not name=value/],
    ['{"leaseMs":-1.5}', /leaseMs is -1.5, and takes a whole number/],
    ['{"leaseMs":', /is not JSON/],
  ])('refuse the limits %j and say why', (text, why) => {
    expect(() => readSettings({ STILLWATER_LIMITS: text })).toThrow(why);
  });

  it('take ages that no timer could wait for', () => {
    expect(readSettings({ STILLWATER_LIMITS: 'orphanMs=5000000000' }).limits.runtime).toEqual({
      orphanMs: 5_000_000_000,
    });
  });

  it('are listed with their defaults for the README and the help', () => {
    expect(describeSettings().find(({ name }) => name === 'PORT')).toMatchObject({ default: '3000' });
    for (const { name } of describeSettings()) expect(settingsHelp()).toContain(name);
  });
});
