import './nonce.ts'
import './workers.ts'
import '@graphiql/react/style.css'
import '@graphiql/plugin-doc-explorer/style.css'
import '@graphiql/plugin-explorer/style.css'
import '@graphiql/plugin-history/style.css'
import 'graphiql/graphiql.css'
import './style.css'
import { createRoot } from 'react-dom/client'
import { App } from './App.tsx'
import { Boundary } from './Boundary.tsx'
import { MissingChunk } from './chunks.tsx'
import { nameOwner } from './owner.ts'
import { Problem } from './problem.ts'

void nameOwner()

const page = document.getElementById('page')
if (page)
  createRoot(page, { onCaughtError: error => error instanceof Problem || console.error(error) }).render(
    <>
      <MissingChunk />
      <Boundary>
        <App />
      </Boundary>
    </>,
  )
