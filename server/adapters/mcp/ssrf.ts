import { type LookupAddress, type LookupOptions, lookup as systemLookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { AppError } from '@/lib/protocol/errors';

/** Which addresses may be reached beside public ones. */
export interface NetworkPolicy {
  /** This machine: 127.0.0.0/8 and ::1. */
  allowLoopback: boolean;
  /** Private networks: 10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7. Never link-local, where clouds keep secrets. */
  allowPrivate: boolean;
}

/** What kind of network an address belongs to. */
export type AddressClass = 'public' | 'loopback' | 'private' | 'reserved';

function blockList(subnets: ReadonlyArray<readonly [string, number]>): BlockList {
  const list = new BlockList();
  for (const [address, prefix] of subnets)
    list.addSubnet(address, prefix, address.includes(':') ? 'ipv6' : 'ipv4');
  return list;
}

const LOOPBACK = blockList([
  ['127.0.0.0', 8],
  ['::1', 128],
]);
const PRIVATE = blockList([
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['fc00::', 7],
]);
/** Special-purpose registries of IANA (RFC 6890 and successors): nothing there is a server on the internet. */
const RESERVED = blockList([
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['::', 128],
  // Addresses that carry an IPv4 address inside (translated, 6to4, Teredo) could lead anywhere.
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
]);

/** Classifies an IP address; anything that is none counts as reserved. */
export function addressClass(address: string): AddressClass {
  const bare = address.split('%')[0] ?? address;
  const version = isIP(bare);
  if (version === 0) return 'reserved';
  const mapped = version === 6 ? mappedIpv4(bare) : undefined;
  if (mapped !== undefined) return addressClass(mapped);
  const family = version === 4 ? 'ipv4' : 'ipv6';
  if (LOOPBACK.check(bare, family)) return 'loopback';
  if (PRIVATE.check(bare, family)) return 'private';
  return RESERVED.check(bare, family) ? 'reserved' : 'public';
}

/** The IPv4 address inside `::ffff:a.b.c.d`, in whichever way it is written. */
function mappedIpv4(address: string): string | undefined {
  // The URL parser writes every IPv6 address in its one canonical, hexadecimal form.
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const match = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  const high = Number.parseInt(match[1], 16);
  const low = Number.parseInt(match[2], 16);
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** True when the policy lets an address be reached. */
export function addressAllowed(address: string, policy: NetworkPolicy): boolean {
  switch (addressClass(address)) {
    case 'public':
      return true;
    case 'loopback':
      return policy.allowLoopback;
    case 'private':
      return policy.allowPrivate;
    default:
      return false;
  }
}

/**
 * Checks a URL that somebody named. Host names are checked again when they are resolved (`guardedLookup`), because
 * what a name points to can change between a check and its use.
 *
 * @throws ADDRESS_NOT_ALLOWED or INVALID_INPUT
 */
export function assertUrlAllowed(url: string | URL, policy: NetworkPolicy): URL {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new AppError('INVALID_INPUT', `${String(url)} is not a URL.`);
  }
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') {
    throw new AppError('ADDRESS_NOT_ALLOWED', `${parsed.protocol}// is not http or https.`);
  }
  const host = parsed.hostname.startsWith('[') ? parsed.hostname.slice(1, -1) : parsed.hostname;
  if (isIP(host) !== 0 && !addressAllowed(host, policy)) throw refused(host, addressClass(host));
  return parsed;
}

/** A DNS lookup that gives only addresses which the policy allows: the check and the connection use one answer. */
export function guardedLookup(policy: NetworkPolicy): LookupFunction {
  return (hostname, options, callback) => {
    systemLookup(
      hostname,
      { ...(options as LookupOptions), all: true },
      (error, addresses: LookupAddress[]) => {
        if (error !== null) {
          callback(error, '', 0);
          return;
        }
        const allowed = addresses.filter(({ address }) => addressAllowed(address, policy));
        const first = allowed[0];
        if (first === undefined) {
          callback(refused(hostname, addressClass(addresses[0]?.address ?? '')), '', 0);
        } else if ((options as LookupOptions).all === true) {
          (callback as unknown as (error: null, addresses: LookupAddress[]) => void)(null, allowed);
        } else {
          callback(null, first.address, first.family);
        }
      },
    );
  };
}

function refused(host: string, kind: AddressClass): AppError {
  return new AppError('ADDRESS_NOT_ALLOWED', `${host} is a ${kind} address, which may not be reached.`);
}
