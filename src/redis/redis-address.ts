import type { ClusterNode, ClusterOptions, RedisOptions } from 'ioredis';

/** The nodes of a Redis Cluster to begin with, and what `Cluster` of ioredis takes. */
export interface ClusterAddress {
  cluster: readonly ClusterNode[];
  options?: ClusterOptions;
}

/**
 * Where Redis is: a URL, what `Redis` of ioredis takes (sentinels among it), or the nodes of a cluster.
 *
 *   redis://user:password@host:6379/0                       one server; rediss:// for TLS
 *   redis+cluster://user:password@host:6379,host:6379       some nodes of a cluster; the others are found through them
 *   redis+sentinel://user:password@host:26379,host:26379/master/0?sentinelPassword=…
 *                                                           the master that sentinels name, and its database
 *
 * `rediss+cluster` and `rediss+sentinel` are the same over TLS.
 */
export type RedisAddress = string | RedisOptions | ClusterAddress;

const FORM = /^(rediss?)(?:\+(cluster|sentinel))?:\/\/(?:([^@/?]*)@)?([^@/?]+)(?:\/([^?]*))?(?:\?(.*))?$/;
const PORT = { cluster: 6379, sentinel: 26_379 };
const MASTER = 'mymaster';

/** Whether a text is one of the forms above. */
export function isRedisUrl(text: string): boolean {
  const form = FORM.exec(text);
  if (form === null) return false;
  const [, , kind, , hosts, path = ''] = form;
  const database = kind === 'sentinel' ? (path.split('/')[1] ?? '') : path;
  if (!/^\d*$/.test(database)) return false;
  return kind === undefined
    ? URL.canParse(text)
    : hosts!.split(',').every((host) => placeOf(host, 1) !== null);
}

export const isCluster = (address: RedisAddress): address is ClusterAddress =>
  typeof address === 'object' && 'cluster' in address;

/** The address with what a URL of several hosts says spelled out; one of a single server is left to ioredis to read. */
export function resolved(address: RedisAddress): RedisAddress {
  const [, scheme, kind, login = '', hosts, path = '', query = ''] =
    (typeof address === 'string' && FORM.exec(address)) || [];
  if (kind !== 'cluster' && kind !== 'sentinel') return address;
  const places = hosts!.split(',').flatMap((host) => placeOf(host, PORT[kind]) ?? []);
  const tls = scheme === 'rediss' ? { tls: {} } : {};
  const options: RedisOptions = { ...loginOf(login), ...tls };
  if (kind === 'cluster')
    return {
      cluster: places,
      options: {
        redisOptions: options,
        // A certificate names hosts, not addresses.
        ...(scheme === 'rediss' && { dnsLookup: (host, callback) => callback(null, host) }),
      },
    };
  const [name, database] = path.split('/').map(decodeURIComponent);
  const { sentinelUsername, sentinelPassword } = Object.fromEntries(new URLSearchParams(query));
  return {
    ...options,
    sentinels: places,
    name: name || MASTER,
    ...(database && { db: Number(database) }),
    ...(sentinelUsername && { sentinelUsername }),
    ...(sentinelPassword && { sentinelPassword }),
    ...(scheme === 'rediss' && { enableTLSForSentinelMode: true, sentinelTLS: {} }),
  };
}

/** The address for people: no password in it. */
export function shownAddress(address: RedisAddress): string {
  if (typeof address === 'string')
    return address
      .replace(/^([^/]*\/\/[^:@/]*):[^@/]*@/, '$1:***@')
      .replace(/([?&][^=]*password=)[^&]*/gi, '$1***');
  if (isCluster(address)) return `the cluster of ${address.cluster.map(shownNode).join(', ')}`;
  if (address.sentinels)
    return `the master ${address.name ?? MASTER} of ${address.sentinels.map(({ host, port }) => `${host}:${port}`).join(', ')}`;
  return address.path ?? `${address.host ?? '127.0.0.1'}:${address.port ?? 6379}`;
}

const shownNode = (node: ClusterNode): string =>
  typeof node === 'object' ? `${node.host ?? '127.0.0.1'}:${node.port ?? 6379}` : shownAddress(String(node));

function loginOf(login: string): Pick<RedisOptions, 'username' | 'password'> {
  if (login === '') return {};
  const colon = login.indexOf(':');
  const username = decodeURIComponent(colon === -1 ? login : login.slice(0, colon));
  const password = colon === -1 ? '' : decodeURIComponent(login.slice(colon + 1));
  return { ...(username && { username }), ...(password && { password }) };
}

/** `host`, `host:port`, `[::1]:port`; null for anything else. */
function placeOf(text: string, port: number): { host: string; port: number } | null {
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  if (parts === null) return null;
  return { host: parts[1] ?? parts[2]!, port: parts[3] === undefined ? port : Number(parts[3]) };
}
