import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';
import type { RedisLink } from '@/server/adapters/redis/link';

/** Makes a counter of something: so many points in so many seconds for each key. */
export type MakeCounter = (name: string, points: number, seconds: number) => RateLimiterAbstract;

/** Counters of this process alone. */
export const memoryCounter: MakeCounter = (name, points, seconds) =>
  new RateLimiterMemory({ keyPrefix: name, points, duration: seconds });

/** Counters that all processes share; while Redis is away each process counts for itself. */
export function redisCounters(link: RedisLink): MakeCounter {
  return (name, points, seconds) =>
    new RateLimiterRedis({
      storeClient: link.commands,
      rejectIfRedisNotReady: true,
      keyPrefix: `${link.prefix}limit:${name}`,
      points,
      duration: seconds,
      insuranceLimiter: memoryCounter(name, points, seconds),
    });
}
