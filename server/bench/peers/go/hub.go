package main

// hub knows who is there and tells everybody what one of them says.
type hub struct {
	clients    map[*client]struct{}
	broadcast  chan []byte
	register   chan *client
	unregister chan *client
}

func newHub() *hub {
	return &hub{
		clients:    map[*client]struct{}{},
		broadcast:  make(chan []byte),
		register:   make(chan *client),
		unregister: make(chan *client),
	}
}

func (h *hub) run() {
	for {
		select {
		case c := <-h.register:
			h.clients[c] = struct{}{}
		case c := <-h.unregister:
			h.remove(c)
		case message := <-h.broadcast:
			h.tell(message)
		}
	}
}

func (h *hub) tell(message []byte) {
	for c := range h.clients {
		select {
		case c.send <- message:
		default:
			// Too slow.
			h.remove(c)
		}
	}
}

// remove may be asked twice: by the hub, and by the reader that notices.
func (h *hub) remove(c *client) {
	if _, here := h.clients[c]; here {
		delete(h.clients, c)
		close(c.send)
	}
}
