package storetest

import (
	"fmt"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/berthhq/berth/store"
)

func restart(t *testing.T, open func() Store) {
	s := open()
	update(t, s, func(tx *store.Tx) {
		for n := range 300 {
			putTask(tx, fmt.Sprintf("%03d", n), int64(n))
		}
		putInstance(tx, "i", true, true)
		putInstance(tx, "j", false, true)
	})
	before := update(t, s, func(tx *store.Tx) { store.Tasks.Delete(tx, "007") })
	s.Close()

	s = opened(t, open)
	v := s.View()
	if v.Revision() < before.Revision() {
		t.Errorf("revision went back from %d to %d", before.Revision(), v.Revision())
	}
	if store.Tasks.Len(v) != 299 || version(v, "299") != 299 || version(v, "007") != 0 {
		t.Errorf("%d tasks came back", store.Tasks.Len(v))
	}
	for offer, want := range map[string]int{store.OfferEC2: 1, store.OfferFargate: 2} {
		n := 0
		for range store.Instances.By(v, store.InstancesByOffer, offer) {
			n++
		}
		if n != want {
			t.Errorf("%d instances offer %s, want %d", n, offer, want)
		}
	}
	after := update(t, s, func(tx *store.Tx) { putTask(tx, "more", 1) })
	if after.Revision() <= v.Revision() {
		t.Error("revisions do not rise after a restart")
	}
}

// everyField stores one record of each table with every field filled, and one
// with none, so that nothing a record holds is lost on its way to disk and back.
func everyField(t *testing.T, open func() Store) {
	s := open()
	filled := map[string]any{}
	update(t, s, func(tx *store.Tx) {
		for _, d := range store.Tables() {
			record := d.New()
			n := 0
			fill(reflect.ValueOf(record).Elem(), &n)
			putAny(tx, d, record)
			filled[d.Name()] = record
			putAny(tx, d, d.New())
		}
	})
	s.Close()
	s = opened(t, open)
	for _, d := range store.Tables() {
		got := getAny(s.View(), d, d.KeyOf(filled[d.Name()]))
		if !reflect.DeepEqual(got, filled[d.Name()]) {
			t.Errorf("%s: %+v\nwant %+v", d.Name(), got, filled[d.Name()])
		}
		if got := getAny(s.View(), d, d.KeyOf(d.New())); !reflect.DeepEqual(got, d.New()) {
			t.Errorf("%s: the empty record came back as %+v", d.Name(), got)
		}
	}
}

// putAny calls the table's own Put, whose type only reflection knows here.
func putAny(tx *store.Tx, d store.Descriptor, record any) {
	reflect.ValueOf(d).MethodByName("Put").Call([]reflect.Value{reflect.ValueOf(tx), reflect.ValueOf(record)})
}

func getAny(r store.Reader, d store.Descriptor, key string) any {
	return reflect.ValueOf(d).MethodByName("Get").Call([]reflect.Value{reflect.ValueOf(r), reflect.ValueOf(key)})[0].Interface()
}

// fill gives every field a value of its own.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Unix(int64(*n), 123456789).UTC()))
		return
	case netip.Addr:
		v.Set(reflect.ValueOf(netip.AddrFrom4([4]byte{10, 0, 0, byte(*n)})))
		return
	case netip.Prefix:
		v.Set(reflect.ValueOf(netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(*n), 0, 0}), 16)))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprint("s", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(*n % 100))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(*n % 100))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(*n) / 4)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fillAll(v, n)
	case reflect.Array:
		fillAll(v, n)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, n)
		fill(value, n)
		v.SetMapIndex(key, value)
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(field, n)
		}
	default:
		panic("storetest: no value for a field of type " + v.Type().String())
	}
}

func fillAll(v reflect.Value, n *int) {
	for i := range v.Len() {
		fill(v.Index(i), n)
	}
}
