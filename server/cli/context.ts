import type { GlobalValues } from '@/lib/commands/registry';
import type { ApiClient } from '@/server/cli/api-client';
import type { InputSource } from '@/server/cli/input';
import type { Output } from '@/server/cli/output';
import type { Screen } from '@/server/cli/screen';

/** What every command handler is given. */
export interface CliContext {
  api: ApiClient;
  output: Output;
  input: InputSource;
  globals: GlobalValues;
  /** Aborted by Ctrl-C. */
  interrupt: AbortSignal;
  /** Lets the program end after `work` only, also when it is told to end. */
  endAfter: (work: Promise<unknown>) => void;
  /** Folder of the repository, when this program lies in one. */
  root: string | undefined;
  /** The address in use, for messages. */
  baseUrl: () => Promise<string>;
  /** Asks a yes/no question on the terminal; false when nobody is there to answer. */
  confirm: (question: string) => Promise<boolean>;
  /** Asks for a text that is not shown while it is typed. */
  askSecret: (question: string) => Promise<string>;
  /** Folder of the user's configuration files. */
  configDir: string;
  /** The screen, when standard output is a terminal. */
  screen: Screen | undefined;
  /** True when a person can be asked. */
  interactive: boolean;
}
