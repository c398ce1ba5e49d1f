import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import type { Plugin } from 'vite'

const SMALL = 1024
const isText = (name: string) => /\.(js|css|ttf|svg)$/.test(name)

/** Write a `.br` and a `.gz` file beside each file that they make smaller. */
export function compress(): Plugin {
  return {
    name: 'compress',
    apply: 'build',
    writeBundle({ dir = '.' }) {
      const assets = join(dir, 'playground/assets')
      for (const name of readdirSync(assets).filter(isText)) {
        const body = readFileSync(join(assets, name))
        if (body.length < SMALL) continue
        const size = { [constants.BROTLI_PARAM_SIZE_HINT]: body.length, [constants.BROTLI_PARAM_LGWIN]: 22 }
        writeFileSync(join(assets, `${name}.br`), brotliCompressSync(body, { params: size }))
        writeFileSync(join(assets, `${name}.gz`), gzipSync(body, { level: 9 }))
      }
    },
  }
}
