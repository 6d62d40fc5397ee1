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
  /** Adds a version; the same content as the latest version gives that one back. */
  put(actor: Actor, definition: WorkflowDefinition, hash: string): Promise<StoredDefinition>;
  /** The version asked for, else the latest; null when there is none. */
  get(organizationId: string, name: string, version?: number): Promise<StoredDefinition | null>;
  /** Latest version of each workflow, by name. */
  list(organizationId: string): Promise<StoredDefinition[]>;
  /** Content by hash, as a run refers to it. */
  byHash(organizationId: string, hash: string): Promise<WorkflowDefinition | null>;
}
