import type { Role } from '@/lib/protocol/actor';
import type { Json } from '@/lib/shared/json';

/** What kind of value an argument holds; `values.ts` reads each of them. */
export type ValueType =
  | 'string'
  | 'integer'
  | 'boolean'
  | 'json'
  | 'json-or-file'
  | 'list'
  | 'enum'
  | 'duration';

/** What an argument names: decides where Tab takes its candidates from. */
export type ObjectKind =
  | 'workflow'
  | 'run'
  | 'server'
  | 'tool'
  | 'command'
  | 'file'
  | 'view'
  | 'setting'
  | 'profile';

/** JSON given in place, or where it is to be read from: the reading itself is the caller's business. */
export type JsonSource =
  | { readonly from: 'inline'; readonly value: Json }
  | { readonly from: 'file'; readonly path: string }
  | { readonly from: 'stdin' };

/** Any value the parser can produce. Durations are milliseconds. */
export type ArgValue = Json | JsonSource | readonly string[];

interface ValueSpec {
  readonly name: string;
  readonly type: ValueType;
  readonly summary: string;
  /** Word shown in usage lines; the name in capitals when left out. */
  readonly placeholder?: string;
  /** Allowed words of an `enum`. */
  readonly values?: readonly string[];
  /** Bounds of an `integer`, both included; of a `duration`, in milliseconds. */
  readonly min?: number;
  readonly max?: number;
  readonly object?: ObjectKind;
}

/** An argument given by its place. `rest` (last one, type `list`) takes every word that is left. */
export interface PositionalSpec extends ValueSpec {
  readonly required?: boolean;
  readonly rest?: boolean;
}

/** An argument given by name: `--name value`, `--name=value`, `-x value`. */
export interface FlagSpec extends ValueSpec {
  readonly short?: string;
}

/** Where a command can be given: the program `openconductor`, or the command bar of the screen. */
export type Surface = 'cli' | 'bar';

/** A line that works as written, and what it does. Tests parse every one of them. */
export interface CommandExample {
  readonly line: string;
  readonly does: string;
}

/**
 * One row of the registry: the only place where a command is described. The command bar, palette, key sheet,
 * CLI, help and docs are generated from these rows.
 */
export interface CommandSpec {
  /** 2–4 capital letters, unique. */
  readonly code: string;
  /** `function`, or `object function`; lower case. */
  readonly name: string;
  /** Other names of the same command, written like `name`. */
  readonly aliases?: readonly string[];
  /** Plain words that should find it. */
  readonly keywords: readonly string[];
  /** One line, without a full stop. */
  readonly summary: string;
  /** What a reader needs beyond the summary, in sentences. */
  readonly help: string;
  readonly args: readonly PositionalSpec[];
  readonly flags: readonly FlagSpec[];
  /** Object kinds whose panels and menus offer it. */
  readonly objects: readonly ObjectKind[];
  /** The weakest role that may do it. */
  readonly role: Role;
  readonly surfaces: readonly Surface[];
  /** Panel (its code) in which the answer appears. */
  readonly panel?: string;
  readonly shortcut?: string;
  /** The question asked before a destructive command is carried out. */
  readonly confirm?: string;
  /** Shape of the answer: rows, one thing, lines as they happen, or plain text. */
  readonly output: 'table' | 'record' | 'stream' | 'text';
  readonly examples: readonly CommandExample[];
}

/** A kind of thing that commands act on, and what its bare word means: `SRV` lists, `SRV memory` shows. */
export interface ObjectSpec {
  readonly kind: ObjectKind;
  readonly code: string;
  readonly words: readonly string[];
  readonly summary: string;
  readonly list: string;
  readonly show: string;
  /** Source text of a pattern that every name of the kind matches. */
  readonly namePattern: string;
}

type ValueOf<S> = S extends { type: 'integer' | 'duration' }
  ? number
  : S extends { type: 'boolean' }
    ? boolean
    : S extends { type: 'json' }
      ? Json
      : S extends { type: 'json-or-file' }
        ? JsonSource
        : S extends { type: 'list' }
          ? readonly string[]
          : S extends { type: 'enum'; values: readonly (infer V)[] }
            ? V
            : string;

type Required<S> = S extends { required: false } ? never : S;
type Optional<S> = S extends { required: false } ? S : never;

/** The arguments of a row as the parser hands them over: checked by the compiler against the row. */
export type ArgsOf<C extends CommandSpec> = {
  readonly [S in Required<C['args'][number]> as S['name']]: ValueOf<S>;
} & {
  readonly [S in Optional<C['args'][number]> as S['name']]?: ValueOf<S>;
} & {
  readonly [S in C['flags'][number] as S['name']]?: ValueOf<S>;
};

/** Keeps the literal types of a row, so that `ArgsOf` can read them. */
export function defineCommand<const C extends CommandSpec>(row: C): C {
  return row;
}
