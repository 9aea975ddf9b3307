#!/usr/bin/env node
// Counts the lines of files: exec: {program: line-count.mjs, config: {files: […], at_most: N}}
// For the exec executor; see docs/executors/exec.md.
import { createReadStream } from 'node:fs'
import { text } from 'node:stream/consumers'

const tell = (line) => process.stdout.write(JSON.stringify(line) + '\n')

const request = JSON.parse(await text(process.stdin))
const { files = [], at_most: atMost = Infinity } = request.config ?? {}

// Asked to end, say how far it came. What is told after SIGTERM counts as long as the grace lasts.
let total = 0
process.on('SIGTERM', () => {
  tell({ facts: { lines: total }, result: 'failed', message: `stopped after ${total} lines` })
  process.exit(1)
})

const count = async (file) => {
  let lines = 0
  for await (const chunk of createReadStream(file)) {
    for (const byte of chunk) if (byte === 10) lines += 1
  }
  return lines
}

try {
  for (const file of files) {
    const lines = await count(file)
    total += lines
    tell({ output: `${lines}\t${file}\n`, facts: { [file]: lines } })
  }
  tell({ facts: { lines: total } })
  if (total > atMost) {
    tell({ result: 'failed', message: `${total} lines; at most ${atMost} are wanted` })
    process.exitCode = 1
  } else {
    tell({ result: 'succeeded', message: `${total} lines in ${files.length} files` })
  }
} catch (error) {
  tell({ result: 'failed', message: error.message })
  process.exitCode = 1
}
