import '@fontsource/jetbrains-mono/400.css';
import '@fontsource/jetbrains-mono/700.css';
import '@/app/globals.css';
import type { Metadata, Viewport } from 'next';
import type { ReactNode } from 'react';
import { LiveRoot } from '@/components/shell/live-root';
import { PALETTES } from '@/lib/theme/tokens';

export const metadata: Metadata = {
  title: { default: 'OpenConductor', template: '%s · OpenConductor' },
  description: 'Find, compose, run, watch and govern MCP servers.',
  applicationName: 'OpenConductor',
  manifest: '/manifest.webmanifest',
  icons: { icon: [{ url: '/icon.svg', type: 'image/svg+xml' }], apple: '/icon-192.png' },
};

/** Every page is made at its request: its scripts carry the nonce of that very answer. */
export const dynamic = 'force-dynamic';

export const viewport: Viewport = { themeColor: PALETTES.standard.bg, colorScheme: 'dark' };

/** Every page: the font, the colours, and one live connection. */
export default function RootLayout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <LiveRoot>{children}</LiveRoot>
      </body>
    </html>
  );
}
