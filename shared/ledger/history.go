package ledger

import (
	"encoding/json"
	"fmt"
	"strings"

	"havip-functions/shared/havip"
)

// place is how far a history was told: below these sequences, 0 for none yet.
type place struct{ stories, strays uint64 }

func (p place) String() string { return fmt.Sprintf("%d.%d", p.stories, p.strays) }

func parsePlace(text string) (p place, err error) {
	if text == "" {
		return p, nil
	}
	if n, err := fmt.Sscanf(text, "%d.%d", &p.stories, &p.strays); n != 2 || err != nil || p.String() != text {
		return p, badPlace(text)
	}
	return p, nil
}

// listed is how a story stands in a list that is sorted by letters: the time of its
// end, then its id. It is a place as well.
func listed(s havip.Story) string { return fmt.Sprintf("%020d.%s", s.EndedAt.UnixMicro(), s.ID) }

// behindAll is behind every place of such a list.
const behindAll = "~"

func isListed(place string) bool { return strings.Trim(place, "0123456789abcdef.") == "" }

func badPlace(text string) error {
	return fmt.Errorf("%w: %.40q is no place in a history; give what next said", ErrNotFound, text)
}

// merge tells stories and strays by the time of their end, and up to where.
func merge(stories, strays []message, at place, key string, most int) (told []havip.Story, next string, err error) {
	more := len(stories)+len(strays) > most || len(stories) == most || len(strays) == most
	for len(told) < most && len(stories)+len(strays) > 0 {
		story, err := storyIn(stories)
		if err != nil {
			return nil, "", err
		}
		stray, err := strayIn(strays)
		if err != nil {
			return nil, "", err
		}
		if len(strays) == 0 || story != nil && stray != nil && story.EndedAt.After(stray.EndedAt) {
			at.stories, stories = stories[0].sequence, stories[1:]
		} else {
			story = stray
			at.strays, strays = strays[0].sequence, strays[1:]
		}
		if story != nil && (key == "" || story.HAVIP.String() == key) { // two HAVIPs may share a shelf
			told = append(told, *story)
		}
	}
	if !more {
		return told, "", nil
	}
	return told, at.String(), nil
}

func storyIn(stories []message) (*havip.Story, error) {
	if len(stories) == 0 {
		return nil, nil
	}
	s := &havip.Story{}
	return s, json.Unmarshal(stories[0].text, s)
}

func strayIn(strays []message) (*havip.Story, error) {
	if len(strays) == 0 {
		return nil, nil
	}
	var r havip.Record
	err := json.Unmarshal(strays[0].text, &r)
	return r.Story, err
}

// shelfOf is the shelf of a HAVIP by its key as a text.
func shelfOf(key string) string {
	cloud, rest, _ := strings.Cut(key, ".")
	region, id, _ := strings.Cut(rest, ".")
	return havip.Key{Cloud: cloud, Region: region, ID: id}.Shelf()
}
