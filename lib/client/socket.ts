import { io, type Socket } from 'socket.io-client';

/**
 * The page's socket: WebSocket only (no polling detour), not yet connected. It reconnects by itself,
 * 0.3 to 3 s apart.
 *
 * @param url another origin, for tests; the page's own when left out
 */
export function createSocket(url?: string): Socket {
  const options = {
    transports: ['websocket'],
    autoConnect: false,
    reconnectionDelay: 300,
    reconnectionDelayMax: 3_000,
    timeout: 5_000,
  };
  return url === undefined ? io(options) : io(url, { ...options, forceNew: true });
}
