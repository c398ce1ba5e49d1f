import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { compress } from './compress.ts'
import { patches } from './patches.ts'
import { preload } from './preload.ts'

// Relative addresses: the page finds its files under any path at which a proxy serves it.
export default defineConfig({
  base: './',
  plugins: [react(), patches(), preload('monaco-editor'), compress()],
  html: { cspNonce: '{nonce}' },
  worker: { format: 'es', plugins: () => [patches()] },
  build: {
    outDir: '../server/http/page',
    emptyOutDir: true,
    assetsDir: 'playground/assets',
    assetsInlineLimit: 0, // the page's policy allows no fonts from data: addresses
    modulePreload: { polyfill: false },
    target: 'es2022',
    chunkSizeWarningLimit: 3000, // Monaco
    rolldownOptions: {
      checks: { pluginTimings: false },
      onLog: (level, log, print) => log.code === 'MODULE_LEVEL_DIRECTIVE' || print(level, log), // GraphiQL's own
    },
  },
})
