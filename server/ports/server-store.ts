import type { ServerConfig } from '@/lib/protocol/server-config';
import type { FleetEvent, HealthReport } from '@/server/ports/mcp-fleet';
import type { StreamRange } from '@/server/ports/stream-store';

/** A server that was added at run time. Times are epoch ms. */
export interface StoredServer {
  name: string;
  config: ServerConfig;
  createdBy: string;
  createdAt: number;
  updatedBy: string;
  updatedAt: number;
}

/** Where servers that are added at run time are kept. */
export interface ServerStore {
  list(organizationId: string): Promise<StoredServer[]>;
  /** False when the name is taken. */
  add(organizationId: string, name: string, config: ServerConfig, by: string): Promise<boolean>;
  /** False when there is none of this name. */
  replace(organizationId: string, name: string, config: ServerConfig, by: string): Promise<boolean>;
  /** Also forgets what was accepted and granted for it. False when there is none of this name. */
  remove(organizationId: string, name: string): Promise<boolean>;
  /** Differs from the one before whenever a server of any organisation was added, changed or removed. */
  fingerprint(): Promise<string>;
  /** Organisations that have any. */
  organizations(): Promise<string[]>;
}

/** One thing that happened to a server. `data` is the event without what is said beside it. */
export interface ServerEventRecord {
  id: number;
  server: string;
  at: number;
  type: FleetEvent['type'];
  data: object;
}

/** History of servers: probes, and what happened. */
export interface ServerHistory {
  addProbe(organizationId: string, server: string, report: HealthReport): Promise<void>;
  /** The newest probes, oldest first. */
  probes(organizationId: string, server: string, limit: number): Promise<HealthReport[]>;
  addEvent(event: FleetEvent): Promise<void>;
  /** Gives events of the organisation that have none yet their numbers in its stream; null when all had theirs. */
  number(organizationId: string): Promise<StreamRange | null>;
  /** Newest first; those with an id below `before` when it is given; of one server, or of all. */
  events(
    organizationId: string,
    query: { server?: string; limit: number; before?: number },
  ): Promise<ServerEventRecord[]>;
  /** Drops what is older than `before` (epoch ms), of every organisation. Gives the number of rows. */
  forget(before: number): Promise<number>;
}
