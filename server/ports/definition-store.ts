import type { Actor } from '@/lib/protocol/actor';
import type { WorkflowDefinition } from '@/lib/protocol/definition';

/** One version of a workflow. */
export interface StoredDefinition {
  name: string;
  version: number;
  hash: string;
  definition: WorkflowDefinition;
  createdAt: Date;
}

/** Definitions of an organisation, versions counted from 1, content kept by hash. */
export interface DefinitionStore {
  /**
   * Adds a version; the same content as the latest version gives that one back. With `expectedVersion` only when that
   * is the latest one (0: there is none yet); else throws VERSION_CONFLICT. `sensitive` are the paths that are masked in its runs.
   */
  put(
    actor: Actor,
    definition: WorkflowDefinition,
    hash: string,
    expectedVersion?: number,
    sensitive?: readonly string[],
  ): Promise<StoredDefinition>;
  /** The version asked for, else the latest; null when there is none. */
  get(organizationId: string, name: string, version?: number): Promise<StoredDefinition | null>;
  /** Latest version of each workflow, by name. */
  list(organizationId: string): Promise<StoredDefinition[]>;
  /** Content by hash, as a run refers to it. */
  byHash(organizationId: string, hash: string): Promise<WorkflowDefinition | null>;
}

/** One version, without its content. */
export interface VersionRow {
  name: string;
  version: number;
  hash: string;
  createdBy: string;
  createdAt: Date;
}

/** Reads of a workflow's versions. */
export interface VersionQueries {
  /** Newest first; `before` is the last version number of the page before. */
  versions(organizationId: string, name: string, limit: number, before: number | null): Promise<VersionRow[]>;
}
