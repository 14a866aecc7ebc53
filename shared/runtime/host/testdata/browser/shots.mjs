// Draws docs/img: node shots.mjs FOLDER, beside a fresh `havip serve --simulate`.
import { chromium } from 'playwright-core'

const [folder, base = 'http://127.0.0.1:8080'] = process.argv.slice(2)
const world = process.env.CONTROL ?? 'http://127.0.0.1:9100'
const wait = ms => new Promise(done => setTimeout(done, ms))
const post = (type, data, kind = 'application/json', wrap = e => e) => fetch(base + '/events', {
  method: 'POST', headers: { 'Content-Type': kind },
  body: JSON.stringify(wrap({ specversion: '1.0', id: crypto.randomUUID(), source: '//monitor.example/hangzhou', type, data })),
})
const ended = async () => {
  for (let open = true; open; await wait(300)) {
    open = (await (await fetch(base + '/api/stories')).json()).stories.some(s => !s.outcome)
  }
}
const db = { cloud: 'alibaba', region: 'cn-hangzhou', instance: 'i-db1' }
const cache = { cloud: 'baidu', region: 'bj', instance: 'i-syG1' }
if (!process.env.ONLY) {
  await post('havip.instance.started', db)
  await post('havip.instance.started', cache)
  await ended()
  await post('havip.health.failed', db, 'application/cloudevents+json', e => [e])
  await fetch(world + '/clouds/alibaba/instances/i-db1', { method: 'PUT', body: '{"state":"Stopped"}' })
  await post('havip.health.failed', db)
  await ended()
  await fetch(world + '/clouds/baidu/havips/havip-w2d4', { method: 'PUT', body: '{"master":"i-syG3"}' })
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] })
const list = await (await fetch(base + '/api/stories')).json()
const failover = list.stories.find(s => s.event.type === 'havip.health.failed')
for (const colorScheme of ['light', 'dark']) {
  for (const [name, width, height] of [['phone', 390, 844], ['tablet', 820, 1000], ['desktop', 1280, 820]]) {
    const page = await (await browser.newContext({ colorScheme, viewport: { width, height }, locale: 'en-GB' })).newPage()
    await page.goto(base)
    await page.locator('#link.live').waitFor()
    await page.screenshot({ path: `${folder}/console-${name}-${colorScheme}.png` })
    await page.goto(`${base}/stories/${failover.id}`)
    await page.screenshot({ path: `${folder}/story-${name}-${colorScheme}.png` })
  }
}
await browser.close()
