// Without this script the page is whole; with it, it stays up to date: it follows the
// outcomes, and puts what the host renders in the place of what is shown.
'use strict'
const main = document.querySelector('#main')
const link = document.querySelector('#link')
const STALLED = 12_000 // the host is heard every 5 s
let stream, heard = 0, place = ''

// Nobody loses what he is writing.
const writing = () => main.contains(document.activeElement) && document.activeElement.matches('input, select, textarea')

const refresh = async () => {
  if (document.hidden || writing()) return
  const answer = await fetch(location.href, { headers: { Accept: 'text/html' } })
  if (answer.redirected) { location.reload(); return } // the session has ended
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
  if (!page.querySelector('#main') || writing()) return
  const focused = document.activeElement?.closest('#main a')?.getAttribute('href')
  main.replaceChildren(...page.querySelector('#main').childNodes)
  document.querySelector('footer').replaceWith(page.querySelector('footer'))
  if (focused) main.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus()
}
const show = () => refresh().catch(() => {})

const tell = state => {
  if (link.className === state) return
  link.className = state
  link.textContent = state && link.dataset[state]
}

const hear = e => {
  heard = Date.now()
  place = e.lastEventId || place
  tell('live')
  if (e.type !== 'beat') show()
}

const follow = () => {
  stream?.close()
  heard = Date.now()
  stream = new EventSource(place ? `/live?after=${place}` : '/live')
  for (const kind of ['begin', 'outcome', 'beat']) stream.addEventListener(kind, hear)
  stream.onerror = () => tell('away') // the browser connects again by itself, where it may
}

const watch = () => {
  if (document.hidden) return
  if (Date.now() - heard > STALLED || stream.readyState === EventSource.CLOSED && Date.now() - heard > 3000) {
    tell('away')
    follow()
  }
  if (main.querySelector('.moving')) show()
}

if ('live' in document.body.dataset) {
  follow()
  setInterval(watch, 2000)
  document.addEventListener('visibilitychange', () => document.hidden ? stream.close() : (follow(), show()))
}
