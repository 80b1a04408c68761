module github.com/berthhq/berth/conformance/names

go 1.26.6

require (
	github.com/aws/aws-sdk-go-v2/service/servicediscovery v1.40.2
	github.com/berthhq/berth v0.0.0
)

require (
	github.com/aws/aws-sdk-go-v2 v1.48.0 // indirect
	github.com/aws/aws-sdk-go-v2/internal/configsources v1.4.25 // indirect
	github.com/aws/aws-sdk-go-v2/internal/endpoints/v2 v2.7.25 // indirect
	github.com/aws/smithy-go v1.28.9 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/tidwall/btree v1.8.2 // indirect
)

replace github.com/berthhq/berth => ../..
