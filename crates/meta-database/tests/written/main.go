// Writes a meta database as CB-Spider does: by GORM, with Go's own AES. Reads what it shall hold as JSON from standard
// input: {"drivers": [[name, provider, library]], "credentials": [[name, provider, {key: value}]], "regions":
// [[name, provider, {key: value}, [zone]]], "configs": [[name, provider, driver, credential, region]], "known":
// {table: [[connection, name, system id, owner]]}}.
//
// Source: https://github.com/cloud-barista/cb-spider, info-store/InfoStore.go,
// cloud-info-manager/credential-info-manager/CredentialInfoManager.go, api-runtime/common-runtime/CommonManager.go.
package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"log"
	"os"
	"strings"

	"github.com/glebarez/sqlite"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

var key = []byte("cloud-barista-cb-spider-cloud-ba")

type pair struct {
	Key   string
	Value string `json:",omitempty"`
}

type CloudDriverInfo struct {
	DriverName        string `gorm:"primaryKey"`
	ProviderName      string
	DriverLibFileName string
}

type CredentialInfo struct {
	CredentialName   string `gorm:"primaryKey"`
	ProviderName     string
	KeyValueInfoList *string `gorm:"type:text"`
}

type RegionInfo struct {
	RegionName        string `gorm:"primaryKey"`
	ProviderName      string
	KeyValueInfoList  *string `gorm:"type:text"`
	AvailableZoneList *string `gorm:"type:text"`
}

type ConnectionConfigInfo struct {
	ConfigName     string `gorm:"primaryKey"`
	ProviderName   string
	DriverName     string
	CredentialName string
	RegionName     string
}

type first struct {
	ConnectionName string `gorm:"primaryKey"`
	NameId         string `gorm:"primaryKey"`
	SystemId       string
}

type ofVPC struct {
	ConnectionName string `gorm:"primaryKey"`
	NameId         string `gorm:"primaryKey"`
	SystemId       string
	OwnerVPCName   string `gorm:"primaryKey"`
}

type ofVPCInZone struct {
	ConnectionName string `gorm:"primaryKey"`
	ZoneId         string
	NameId         string `gorm:"primaryKey"`
	SystemId       string
	OwnerVPCName   string `gorm:"primaryKey"`
}

type ofCluster struct {
	ConnectionName   string `gorm:"primaryKey"`
	NameId           string `gorm:"primaryKey"`
	SystemId         string
	OwnerClusterName string `gorm:"primaryKey"`
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func sealed(text string) string {
	block, err := aes.NewCipher(key)
	check(err)
	all := make([]byte, aes.BlockSize+len(text))
	_, err = io.ReadFull(rand.Reader, all[:aes.BlockSize])
	check(err)
	cipher.NewCTR(block, all[:aes.BlockSize]).XORKeyStream(all[aes.BlockSize:], []byte(text))
	return base64.StdEncoding.EncodeToString(all)
}

func text(value any) string { return value.(string) }

// As CB-Spider's lists are kept: null where they are empty.
func list(items any, length int) *string {
	if length == 0 {
		return nil
	}
	written, err := json.Marshal(items)
	check(err)
	kept := string(written)
	return &kept
}

func pairs(values any, seal bool) *string {
	var all []pair
	for name, value := range values.(map[string]any) {
		kept := text(value)
		if seal {
			kept = sealed(kept)
		}
		all = append(all, pair{name, kept})
	}
	return list(all, len(all))
}

func main() {
	var given struct {
		Drivers, Credentials, Regions, Configs [][]any
		Known                                  map[string][][]string
	}
	check(json.NewDecoder(os.Stdin).Decode(&given))
	var dialector gorm.Dialector = sqlite.Open(os.Args[1] + "?_busy_timeout=60000")
	if strings.HasPrefix(os.Args[1], "postgres") {
		dialector = postgres.Open(os.Args[1])
	}
	db, err := gorm.Open(dialector, &gorm.Config{Logger: logger.Default.LogMode(logger.Silent)})
	check(err)
	check(db.AutoMigrate(&CloudDriverInfo{}, &CredentialInfo{}, &RegionInfo{}, &ConnectionConfigInfo{}))
	for _, row := range given.Drivers {
		check(db.Save(&CloudDriverInfo{text(row[0]), text(row[1]), text(row[2])}).Error)
	}
	for _, row := range given.Credentials {
		check(db.Save(&CredentialInfo{text(row[0]), text(row[1]), pairs(row[2], true)}).Error)
	}
	for _, row := range given.Regions {
		zones := row[3].([]any)
		check(db.Save(&RegionInfo{text(row[0]), text(row[1]), pairs(row[2], false), list(zones, len(zones))}).Error)
	}
	for _, row := range given.Configs {
		check(db.Save(&ConnectionConfigInfo{text(row[0]), text(row[1]), text(row[2]), text(row[3]), text(row[4])}).Error)
	}
	for table, rows := range given.Known {
		var of func([]string) any
		switch table {
		case "vpc_iid_infos", "key_iid_infos":
			of = func(row []string) any { return &first{row[0], row[1], row[2]} }
		case "subnet_iid_infos":
			of = func(row []string) any { return &ofVPCInZone{row[0], "", row[1], row[2], row[3]} }
		case "node_group_iid_infos":
			of = func(row []string) any { return &ofCluster{row[0], row[1], row[2], row[3]} }
		default:
			of = func(row []string) any { return &ofVPC{row[0], row[1], row[2], row[3]} }
		}
		check(db.Table(table).AutoMigrate(of([]string{"", "", "", ""})))
		for _, row := range rows {
			check(db.Table(table).Create(of(row)).Error)
		}
	}
}
