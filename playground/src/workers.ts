import type { Environment } from 'monaco-editor'
import { reportMissing } from './chunks.tsx'
import EditorWorker from 'monaco-editor/esm/vs/editor/editor.worker.js?worker'
import JsonWorker from 'monaco-editor/esm/vs/language/json/json.worker.js?worker'
import GraphQLWorker from 'monaco-graphql/esm/graphql.worker.js?worker'

const MonacoEnvironment: Environment = {
  getWorker(_id, label) {
    const worker = workerFor(label)
    worker.addEventListener('error', event => event instanceof ErrorEvent || reportMissing()) // the former is thrown in it
    return worker
  },
}

function workerFor(label: string) {
  if (label === 'graphql') return new GraphQLWorker()
  if (label === 'json') return new JsonWorker()
  return new EditorWorker()
}

Object.assign(globalThis, { MonacoEnvironment })
