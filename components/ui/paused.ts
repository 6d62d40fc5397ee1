'use client';

import { createContext } from 'react';

/** True inside a paused panel: clocks in it stand still too. */
export const Paused = createContext(false);
