package node

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kubernetes/third_party/forked/golang/expansion"
)

// accountFolder is where a container finds the token of its ServiceAccount.
const accountFolder = "/var/run/secrets/kubernetes.io/serviceaccount"

// Where containers find the API server: the first address of the Services' network.
const (
	apiServerHost = "10.0.0.1"
	apiServerPort = "443"
)

// prepare makes the root folder of a container: the image's files, the token and the volumes.
func (p *pod) prepare(ctx context.Context, root string, container *corev1.Container) error {
	for path, file := range p.node.Image {
		target := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil { //nolint:gosec // read by the container's user
			return err
		}
		if err := os.Link(file, target); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	if mounted := p.object.Spec.AutomountServiceAccountToken; mounted == nil || *mounted {
		if err := p.mountToken(ctx, filepath.Join(root, accountFolder)); err != nil {
			return err
		}
	}
	volumes := map[string]corev1.Volume{}
	for _, v := range p.object.Spec.Volumes {
		volumes[v.Name] = v
	}
	for _, mount := range container.VolumeMounts {
		files, err := p.volume(ctx, volumes[mount.Name])
		if err == nil {
			err = writeFiles(filepath.Join(root, mount.MountPath), files)
		}
		if err != nil {
			return fmt.Errorf("cannot mount the volume %q: %w", mount.Name, err)
		}
	}
	return nil
}

// mountToken writes what the kubelet mounts for a ServiceAccount.
func (p *pod) mountToken(ctx context.Context, folder string) error {
	seconds := int64(3600)
	token, err := p.node.client.CoreV1().ServiceAccounts(p.object.Namespace).CreateToken(ctx, p.object.Spec.ServiceAccountName,
		&authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
			ExpirationSeconds: &seconds,
			BoundObjectRef: &authenticationv1.BoundObjectReference{
				APIVersion: "v1", Kind: "Pod", Name: p.object.Name, UID: p.object.UID,
			},
		}}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("cannot get a token: %w", err)
	}
	return writeFiles(folder, map[string][]byte{
		"token": []byte(token.Status.Token), "ca.crt": p.node.Config.CAData, "namespace": []byte(p.object.Namespace),
	})
}

// volume returns the files of a volume.
func (p *pod) volume(ctx context.Context, v corev1.Volume) (map[string][]byte, error) {
	files := map[string][]byte{}
	switch {
	case v.EmptyDir != nil:
		return files, nil
	case v.ConfigMap != nil && len(v.ConfigMap.Items) == 0:
		source, err := p.node.client.CoreV1().ConfigMaps(p.object.Namespace).Get(ctx, v.ConfigMap.Name, metav1.GetOptions{})
		if err != nil {
			return nil, notYet(err)
		}
		for name, text := range source.Data {
			files[name] = []byte(text)
		}
		return files, nil
	case v.Secret != nil && len(v.Secret.Items) == 0:
		source, err := p.node.client.CoreV1().Secrets(p.object.Namespace).Get(ctx, v.Secret.SecretName, metav1.GetOptions{})
		if err != nil {
			return nil, notYet(err)
		}
		return source.Data, nil
	default:
		return nil, errors.New("it is of an unknown kind")
	}
}

// notYet marks what does not exist, but may.
func notYet(err error) error {
	if apierrors.IsNotFound(err) {
		return errors.Join(errNotYet, err)
	}
	return err
}

// writeFiles makes a folder that every user may write to, with files that every user may read.
func writeFiles(folder string, files map[string][]byte) error {
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // read by the container's user
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil { //nolint:gosec // as above
			return err
		}
	}
	if len(files) > 0 {
		return nil
	}
	return os.Chmod(folder, 0o777) //nolint:gosec // an empty folder is for writing
}

// expand returns the container's environment and command line, with references to variables resolved.
func (p *pod) expand(container *corev1.Container) (environment, args []string, err error) {
	values := map[string]string{"KUBERNETES_SERVICE_HOST": apiServerHost, "KUBERNETES_SERVICE_PORT": apiServerPort}
	mapping := expansion.MappingFuncFor(values)
	for _, variable := range container.Env {
		value := expansion.Expand(variable.Value, mapping)
		if from := variable.ValueFrom; from != nil {
			if value, err = p.field(from); err != nil {
				return nil, nil, fmt.Errorf("cannot set %s: %w", variable.Name, err)
			}
		}
		values[variable.Name] = value
	}
	for name, value := range values {
		environment = append(environment, name+"="+value)
	}
	for _, arg := range append(append([]string{}, container.Command...), container.Args...) {
		args = append(args, expansion.Expand(arg, mapping))
	}
	if len(container.Command) == 0 {
		return nil, nil, errors.New("the container has no command")
	}
	return environment, args, nil
}

// field is a field of the Pod for an environment variable.
func (p *pod) field(from *corev1.EnvVarSource) (string, error) {
	if from.FieldRef == nil {
		return "", errors.New("its source is of an unknown kind")
	}
	switch from.FieldRef.FieldPath {
	case "metadata.name":
		return p.object.Name, nil
	case "metadata.namespace":
		return p.object.Namespace, nil
	case "status.podIP":
		return p.ip.String(), nil
	default:
		return "", fmt.Errorf("its field is %s", from.FieldRef.FieldPath)
	}
}

// apiServer is where the API server listens.
func (n *Node) apiServer() (string, error) {
	address, err := url.Parse(n.Config.Host)
	if err != nil {
		return "", err
	}
	return strings.TrimPrefix(address.Host, "//"), nil
}
