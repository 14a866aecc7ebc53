package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"havip-functions/shared/havip"
)

// storyParts stands before a shelf.
const storyParts = "stories:"

// Archive implements [havip.Ledger].
func (t *Table) Archive(ctx context.Context, s havip.Story) error {
	story, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return t.rows.put(ctx, row{part: storyParts + s.HAVIP.Shelf(), sort: s.ID, body: story, ended: listed(s)}.expire(Keep))
}

// Story implements [Ledger].
func (t *Table) Story(ctx context.Context, id string) (s havip.Story, err error) {
	if !havip.IsStoryID(id) {
		return s, ErrNotFound
	}
	found, err := t.find(ctx, storyParts+id[:shelfLen], id)
	if err == nil && found.part == "" {
		found, err = t.find(ctx, valueParts+havip.StrayKey(id), valueSort)
	}
	if err != nil {
		return s, err
	}
	return found.story()
}

// story reads the story of a row: one that was archived, or that of a stray.
func (r row) story() (s havip.Story, err error) {
	switch {
	case r.part == "":
		return s, ErrNotFound
	case strings.HasPrefix(r.part, storyParts):
		return s, json.Unmarshal(r.body, &s)
	}
	var record havip.Record
	err = json.Unmarshal(r.body, &record)
	if err == nil && record.Story == nil {
		err = ErrNotFound
	}
	if err != nil {
		return s, err
	}
	return *record.Story, nil
}

// Stories implements [Ledger]. A place is the last one told, as it is listed.
func (t *Table) Stories(ctx context.Context, key, from string, most int) (found []havip.Story, next string, err error) {
	if !isListed(from) {
		return nil, "", badPlace(from)
	}
	part := ""
	if key != "" {
		part = storyParts + shelfOf(key)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for more := true; more; {
		var page []row
		if page, more, err = t.rows.history(ctx, part, from, most); err != nil {
			return nil, "", err
		}
		for _, r := range page {
			from = r.ended
			s, err := r.story()
			switch {
			case r.gone(), errors.Is(err, ErrNotFound):
				continue
			case err != nil:
				return nil, "", err
			case key == "" || s.HAVIP.String() == key: // two HAVIPs may share a shelf
				found = append(found, s)
			}
			if len(found) == most {
				return found, from, nil
			}
		}
	}
	return found, "", nil
}
