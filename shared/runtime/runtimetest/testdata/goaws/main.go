// Command goaws serves the SQS of goaws on loopback, at the port that it is given.
package main

import (
	"log"
	"net/http"
	"os"
	"time"

	"github.com/Admiral-Piett/goaws/app/gosqs"
	"github.com/Admiral-Piett/goaws/app/router"
	"github.com/sirupsen/logrus"
)

func main() {
	logrus.SetLevel(logrus.ErrorLevel)
	go gosqs.PeriodicTasks(100*time.Millisecond, nil) // messages become visible again
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], router.New()))
}
