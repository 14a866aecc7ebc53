// Without this script the page is whole; with it, it stays up to date.
'use strict'
const main = document.querySelector('#main')
const busy = () => main.contains(document.activeElement) && document.activeElement.matches('input, select, textarea')
const refresh = async () => {
  if (busy() || document.hidden) return
  const answer = await fetch(location.href, { headers: { Accept: 'text/html' } })
  if (answer.redirected) { location.reload(); return } // the session has ended
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
  const fresh = page.querySelector('#main')
  if (!fresh || busy()) return
  const focused = document.activeElement?.closest('#main a')?.getAttribute('href')
  main.replaceChildren(...fresh.childNodes)
  document.querySelector('footer').replaceWith(page.querySelector('footer'))
  if (focused) main.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus()
}
if ('live' in document.body.dataset) setInterval(() => refresh().catch(() => {}), 2000)
