// Drives the page in a real Chromium as a person does: node page.mjs SCENE PAGE HAND, where
// HAND moves the simulated world. It fails on any error that the browser tells, too.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium } from 'playwright-core'

const [scene, base, hand] = process.argv.slice(2)
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox', '--disable-quic'] })
const patient = 60_000

const open = async (options = {}) => {
  const context = await browser.newContext({ locale: 'en-GB', ...options })
  context.setDefaultTimeout(patient)
  const page = await context.newPage()
  page.on('console', m => { if (m.type() === 'error' && !m.text().includes('ERR_')) fail(`the browser says: ${m.text()}`) })
  page.on('pageerror', e => fail(`the script fails: ${e}`))
  return page
}
const fail = text => { console.error(text); process.exitCode = 1 }
const move = async (path, body, method = 'PUT') => {
  const answer = await fetch(hand + path, { method, body: JSON.stringify(body) })
  if (!answer.ok) fail(`${path}: ${await answer.text()}`)
}
const say = async (type, instance, id = crypto.randomUUID()) => fetch(base + '/events', {
  method: 'POST', headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({ specversion: '1.0', id, source: 'test', type, data: { cloud: 'alibaba', region: 'cn-hangzhou', instance } }),
})
const judge = async (page, what) => {
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() => window.axe.run())
  for (const v of violations.filter(v => ['serious', 'critical'].includes(v.impact))) {
    fail(`axe, ${what}: ${v.id}: ${v.help}: ${v.nodes.map(n => n.html).join(' | ')}`)
  }
}
const judgeBoth = async (page, what) => {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme })
    await judge(page, `${what}, ${colorScheme}`)
  }
}
const row = page => page.getByRole('row', { name: /orders-db/ }).first()
const serves = (page, id) => row(page).locator('b', { hasText: id }).waitFor()
const plan = async (page, reason) => {
  await page.getByRole('link', { name: 'Recover orders-db' }).click()
  await page.getByLabel('Attach').selectOption('i-db2')
  await page.getByLabel('Reason').fill(reason)
  await page.getByRole('button', { name: 'Plan it' }).click()
  await page.locator('.plan', { hasText: 'Attach' }).waitFor()
}

const scenes = {
  // A failover is played in the world and watched, without a click on the page.
  async failover () {
    const page = await open()
    await page.goto(base)
    await page.locator('#link', { hasText: 'live' }).waitFor()
    await say('havip.instance.started', 'i-db1')
    await serves(page, 'i-db1')
    await move('/clouds/alibaba/instances/i-db1', { state: 'Stopped' })
    await say('havip.health.failed', 'i-db1')
    await serves(page, 'i-db2')
    const story = page.getByRole('row', { name: /health.failed/ }).first()
    await story.getByText('attached').waitFor()
    await judgeBoth(page, 'overview')
    await story.getByRole('link').click()
    await page.getByRole('img', { name: 'What happened, to scale' }).waitFor()
    await judgeBoth(page, 'story')
  },
  // A recover is planned, confirmed and followed to its end.
  async recover () {
    const page = await open()
    await page.goto(base)
    await plan(page, 'drill')
    await judge(page, 'plan')
    await page.getByRole('button', { name: 'Do it' }).click()
    await page.waitForURL('**/stories/*')
    await page.locator('h1 .pill', { hasText: 'attached' }).waitFor()
    for (const place of ['/recover?havip=orders-db', '/freeze', '/stories?lang=zh']) {
      await page.goto(base + place)
      await judge(page, place)
    }
    if (await page.locator('html').getAttribute('lang') !== 'zh') fail('it is not in Chinese')
  },
  // A freeze stops the next story.
  async freeze () {
    const page = await open()
    await page.goto(base)
    await page.getByRole('link', { name: 'Freeze orders-db' }).click()
    await page.getByLabel('Reason').fill('<b>work</b> on the switch')
    await page.getByRole('button', { name: 'Freeze' }).click()
    await row(page).getByText('<b>work</b> on the switch').waitFor()
    await say('havip.instance.started', 'i-db1')
    await page.getByRole('row', { name: /instance.started ignored/ }).waitFor()
  },
  // A dead letter is read and redriven.
  async redrive () {
    const page = await open()
    await page.goto(base)
    await page.getByRole('link', { name: 'Read and redrive' }).click()
    await judge(page, 'dead letter')
    await page.getByLabel('Reason').fill('its sender is mended')
    await page.getByRole('button', { name: 'Redrive' }).click()
    await page.waitForURL('**/stories/*')
    await page.locator('h1 .pill', { hasText: 'attached' }).waitFor()
  },
  // All of it without a script.
  async scriptless () {
    const page = await open({ javaScriptEnabled: false, viewport: { width: 390, height: 800 } })
    await page.goto(base)
    await page.getByRole('searchbox', { name: 'Filter' }).fill('nothing-like-it')
    await page.keyboard.press('Enter')
    await page.getByText('No HAVIP matches the filter.').waitFor()
    await page.getByRole('link', { name: 'Show all' }).click()
    await plan(page, 'without a script')
    await page.getByRole('button', { name: 'Do it' }).click()
    await page.waitForURL('**/stories/*')
    for (let tries = 0; await page.locator('h1 .pill', { hasText: 'attached' }).count() === 0 && tries < 300; tries++) {
      await new Promise(done => setTimeout(done, 200))
      await page.reload()
    }
    await page.locator('h1 .pill', { hasText: 'attached' }).waitFor()
  },
  // A newcomer plays a failover with clicks alone.
  async world () {
    const page = await open()
    await page.goto(base)
    await plan(page, 'to begin with')
    await page.getByRole('button', { name: 'Do it' }).click()
    await page.locator('h1 .pill', { hasText: 'attached' }).waitFor()
    await page.getByRole('link', { name: 'The world' }).click()
    await page.getByText('announced by i-db2').waitFor()
    await judgeBoth(page, 'world')
    await page.getByRole('button', { name: 'the answer to the next attach is lost' }).click()
    await page.getByRole('button', { name: 'is lost · on' }).waitFor()
    await page.getByRole('button', { name: 'Stop i-db2' }).click()
    await page.getByText('announced by i-db1').waitFor()
    await page.getByRole('link', { name: 'Overview' }).click()
    await page.getByRole('row', { name: /health.failed attached/ }).waitFor()
    await serves(page, 'i-db1')
  },
  // How long until something is seen, and how much came for it.
  async paint () {
    const page = await open()
    await page.goto(base)
    await page.locator('table.havips').waitFor()
    await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint').length)
    console.log(JSON.stringify(await page.evaluate(() => ({
      paint: performance.getEntriesByName('first-contentful-paint')[0].startTime,
      bytes: [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')].reduce((sum, e) => sum + e.transferSize, 0),
    }))))
  },
  // A stream that stalls is told, and what happened meanwhile is there afterwards.
  async stalled () {
    const page = await open()
    const asked = []
    page.on('request', r => { if (r.url().includes('/live')) asked.push(r.url()) })
    await page.goto(base)
    await page.locator('#link', { hasText: 'live' }).waitFor()
    await move('/stall', {})
    await page.locator('#link', { hasText: 'reconnecting' }).waitFor()
    await move('/event', {})
    await move('/flow', {})
    await page.locator('#link', { hasText: 'live' }).waitFor()
    await page.getByRole('row', { name: /instance.started attached/ }).waitFor()
    if (!asked.at(-1).includes('?after=')) fail(`it came again to ${asked.join(', ')}`)
  },
}
try {
  await scenes[scene]()
} catch (e) {
  fail(String(e))
}
await browser.close()
