package main

import (
	"bytes"
	"log"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

const (
	// How long a write may take.
	writeWait = 10 * time.Second
	// How long a client may be silent, and how often it is asked.
	pongWait  = 60 * time.Second
	pingEvery = 54 * time.Second
	// The longest message, in bytes.
	maxMessage = 512
	// Messages that wait for one client.
	queue = 256
)

var upgrader = websocket.Upgrader{ReadBufferSize: 1024, WriteBufferSize: 1024}

// client is one connection: a goroutine that reads, one that writes, and a queue between hub and writer.
type client struct {
	hub  *hub
	conn *websocket.Conn
	send chan []byte
}

func serve(h *hub, w http.ResponseWriter, r *http.Request) {
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		log.Println(err)
		return
	}
	c := &client{hub: h, conn: conn, send: make(chan []byte, queue)}
	h.register <- c
	go c.write()
	go c.read()
}

// read hands what the client says to the hub, until it ends.
func (c *client) read() {
	defer func() {
		c.hub.unregister <- c
		c.conn.Close()
	}()
	c.conn.SetReadLimit(maxMessage)
	alive := func(string) error { return c.conn.SetReadDeadline(time.Now().Add(pongWait)) }
	alive("")
	c.conn.SetPongHandler(alive)
	for {
		_, message, err := c.conn.ReadMessage()
		if err != nil {
			return
		}
		c.hub.broadcast <- bytes.TrimSpace(bytes.ReplaceAll(message, []byte("\n"), []byte(" ")))
	}
}

// write sends what waits, and pings, until the hub closes the queue or a write fails.
func (c *client) write() {
	ticker := time.NewTicker(pingEvery)
	defer func() {
		ticker.Stop()
		c.conn.Close()
	}()
	for {
		select {
		case message, open := <-c.send:
			c.conn.SetWriteDeadline(time.Now().Add(writeWait))
			if !open {
				c.conn.WriteMessage(websocket.CloseMessage, nil)
				return
			}
			if c.writeJoined(message) != nil {
				return
			}
		case <-ticker.C:
			c.conn.SetWriteDeadline(time.Now().Add(writeWait))
			if c.conn.WriteMessage(websocket.PingMessage, nil) != nil {
				return
			}
		}
	}
}

// writeJoined sends the message, and all that wait by now, in one frame.
func (c *client) writeJoined(message []byte) error {
	frame, err := c.conn.NextWriter(websocket.TextMessage)
	if err != nil {
		return err
	}
	frame.Write(message)
	for waiting := len(c.send); waiting > 0; waiting-- {
		frame.Write([]byte{'\n'})
		frame.Write(<-c.send)
	}
	return frame.Close()
}
