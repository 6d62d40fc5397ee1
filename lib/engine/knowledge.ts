import type { Tool } from '@/lib/protocol/api';

/** What is known of servers and their tools. A server without tools here is known, its tools are not. */
export interface Knowledge {
  servers: Map<string, Map<string, Tool>>;
}
