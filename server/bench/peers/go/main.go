// A chat in the manner of gorilla/websocket's example, to compare with. One room, nothing is kept.
//
// The hub's goroutine alone knows who is there. It hands each message to a queue of 256 for each client;
// whose queue is full is thrown out. A client's writer joins what waits with line breaks into one frame.
package main

import (
	"flag"
	"log"
	"net/http"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "where to listen")
	flag.Parse()
	hub := newHub()
	go hub.run()
	http.HandleFunc("/ws", func(w http.ResponseWriter, r *http.Request) { serve(hub, w, r) })
	log.Fatal(http.ListenAndServe(*addr, nil))
}
